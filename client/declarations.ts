/**
 * The contract's types as plain declarations. In the repository they are inferred from zod schemas; whoever installs
 * the package has neither. So the schemas are turned into JSON Schema and that into TypeScript, under the names that
 * types.ts exports.
 */
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { z } from 'zod';
import { Accepted, JobSummary, JobsPage } from '../src/contract/api.ts';
import { Entry } from '../src/contract/entries.ts';
import { Problem } from '../src/contract/errors.ts';
import { Job, JobOptions, JobResult, Metadata, Playback, Rendition } from '../src/contract/job.ts';
import { Stage, Status } from '../src/contract/stages.ts';
import {
  DeliveriesPage,
  Delivery,
  EventType,
  Webhook,
  WebhookEvent,
  WebhooksPage,
  WebhookWithSecret,
} from '../src/contract/webhooks.ts';

const VisibleEntry = z.union(Entry.options.filter(({ shape }) => !shape.type.value.startsWith('_')));

const NAMED = {
  Accepted,
  Problem,
  Job,
  JobOptions,
  JobResult,
  JobSummary,
  JobsPage,
  Metadata,
  Playback,
  Rendition,
  Stage,
  Status,
  VisibleEntry,
  DeliveriesPage,
  Delivery,
  EventType,
  Webhook,
  WebhookEvent,
  WebhooksPage,
  WebhookWithSecret,
};

/** Declarations for everything that types.ts exports, and one interface that names them all, as the generator wants. */
export async function declarations(): Promise<string> {
  const metadata = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) metadata.add(schema, { id });
  const schema = z.toJSONSchema(z.object(NAMED), { target: 'draft-7', metadata });
  return compile(schema as JSONSchema, 'Contract', {
    bannerComment: '/** What the server says: made from its schemas. */',
    ignoreMinAndMaxItems: true,
  });
}
