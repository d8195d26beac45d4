/** The schemas that have a name in the document; wherever one of them is part of another, it is referred to. */
import { z } from 'zod';
import type { ZodOpenApiOverride } from 'zod-openapi';
import * as access from '../../contract/access.ts';
import * as api from '../../contract/api.ts';
import { Entry, ProgressDetails } from '../../contract/entries.ts';
import { JobErrorCode, Problem } from '../../contract/errors.ts';
import * as jobs from '../../contract/job.ts';
import { Stage, Status } from '../../contract/stages.ts';
import * as webhooks from '../../contract/webhooks.ts';
import { EVENT_DATA, StatusData, StreamEvent, StreamsEvent, UnavailableData } from './events.ts';

const NAMED = {
  ...{ Status, Stage, JobErrorCode },
  ...{ Job: jobs.Job, JobOptions: jobs.JobOptions, Metadata: jobs.Metadata, JobEvent: jobs.JobEvent },
  ...{ Rendition: jobs.Rendition, Playback: jobs.Playback, JobResult: jobs.JobResult, Vmaf: jobs.Vmaf },
  ...{ JobSummary: api.JobSummary, JobsPage: api.JobsPage, EventsPage: api.EventsPage, Accepted: api.Accepted },
  ...{ UploadCreated: api.UploadCreated, Health: api.Health },
  ...{ Entry, ProgressDetails, ...EVENT_DATA, StatusData, UnavailableData, StreamEvent, StreamsEvent },
  ...{ Webhook: webhooks.Webhook, WebhookWithSecret: webhooks.WebhookWithSecret, Delivery: webhooks.Delivery },
  ...{ Attempt: webhooks.Attempt, ApiKey: access.ApiKey, NewApiKey: access.NewApiKey },
} satisfies Record<string, z.ZodType>;

/** By this zod-openapi knows their names. */
for (const [id, schema] of Object.entries(NAMED)) z.globalRegistry.add(schema, { id });

/** Those that are referred to by name. */
export const REFERRED = { Problem, JobOptions: NAMED.JobOptions, Metadata: NAMED.Metadata };

/**
 * What zod cannot know of these schemas. A number in a query is one after it was read, and its bounds are those of what
 * it is piped into; bounds that every integer has say nothing. Answers may grow, so nobody is told that they have no
 * other fields. A format says more than the long pattern that zod checks it with.
 */
export const override: ZodOpenApiOverride = ({ zodSchema, jsonSchema, io }) => {
  if (zodSchema instanceof z.ZodPipe && jsonSchema.type === 'number') {
    const { type, minimum, maximum } = z.toJSONSchema(zodSchema.out);
    Object.assign(jsonSchema, { type, minimum, maximum });
  }
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (zodSchema instanceof z.ZodObject && io === 'output') delete jsonSchema.additionalProperties;
  if (jsonSchema.format === 'uuid' || jsonSchema.format === 'date-time') delete jsonSchema.pattern;
};
