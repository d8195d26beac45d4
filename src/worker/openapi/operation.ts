/**
 * What the document says of a route, beside what it knows by itself: who may use it comes from the table of access, the
 * problems that every route can answer with are added, and each problem brings its status and title along.
 */
import type { z } from 'zod';
import type { ZodOpenApiContentObject, ZodOpenApiHeadersObject, ZodOpenApiResponseObject } from 'zod-openapi';
import type { ProblemCode } from '../../contract/errors.ts';

export type Tag = 'Jobs' | 'Uploads' | 'Playback' | 'Webhooks' | 'Access' | 'Service';

export interface Operation {
  readonly tag: Tag;
  /** Names the operation in generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** For a route that answers HEAD only; the application routes that like GET. */
  readonly method?: 'head';
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: { readonly required?: boolean; readonly content: ZodOpenApiContentObject };
  /** By status; what is no problem. */
  readonly answers: Readonly<Record<number, ZodOpenApiResponseObject>>;
  /** Codes that not every route has. */
  readonly problems: readonly ProblemCode[];
}

export type Operations = Readonly<Record<string, Operation>>;

export const json = (schema: z.ZodType): ZodOpenApiContentObject => ({ 'application/json': { schema } });

export const answer = (
  description: string,
  schema: z.ZodType,
  headers?: ZodOpenApiHeadersObject,
): ZodOpenApiResponseObject => ({ description, content: json(schema), ...(headers && { headers }) });

export const text = (type: string): ZodOpenApiContentObject => ({ [type]: { schema: { type: 'string' } } });

/** A body of JSON: it may be none, too long, or not what the route takes. */
export const BODY = ['invalid_request', 'too_large'] as const;
/** A URL of the caller's that this server shall reach. */
export const URL_GIVEN = ['invalid_url', 'url_refused', 'url_unresolved', 'resolver_unavailable'] as const;
/** A job in the path. */
export const JOB = ['invalid_job_id', 'job_not_found'] as const;
