/** The two tables of stable error codes: what a request can be answered with, and how a job can end. */
import { z } from 'zod';

/** Codes of `application/problem+json` answers. Codes are never renamed. */
export const PROBLEMS = {
  invalid_job_id: { status: 400, title: 'The job id is not a UUID' },
  invalid_request: { status: 400, title: 'The request is malformed' },
  invalid_field: { status: 400, title: 'A field has a value that cannot be used' },
  unknown_field: { status: 400, title: 'A field is not known' },
  duplicate_field: { status: 400, title: 'A field was sent twice' },
  missing_video: { status: 400, title: 'The form has no file field named video' },
  empty_file: { status: 400, title: 'The file is empty' },
  body_incomplete: { status: 400, title: 'The body ended before it was complete' },
  digest_mismatch: { status: 400, title: 'The body does not match its digest' },
  invalid_url: { status: 400, title: 'The URL cannot be used' },
  url_refused: { status: 400, title: 'The URL leads where this server does not go' },
  url_unresolved: { status: 400, title: 'The host name of the URL has no address' },
  too_many_redirects: { status: 400, title: 'The URL redirects too often' },
  checksum_mismatch: { status: 460, title: 'The bytes do not match their checksum' },
  unauthorized: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'This is not allowed' },
  access_closed: { status: 403, title: 'This server is closed' },
  job_not_found: { status: 404, title: 'There is no such job' },
  webhook_not_found: { status: 404, title: 'There is no such webhook endpoint' },
  delivery_not_found: { status: 404, title: 'The endpoint has no such event' },
  key_not_found: { status: 404, title: 'There is no such key' },
  upload_not_found: { status: 404, title: 'There is no such upload' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'The method is not known here' },
  invalid_state: { status: 409, title: "The job's state does not allow this" },
  webhook_disabled: { status: 409, title: 'The webhook endpoint is disabled' },
  no_source: { status: 409, title: 'The source never arrived whole' },
  in_progress: { status: 409, title: 'A request with this key is still being answered' },
  offset_conflict: { status: 409, title: 'The upload is at another offset' },
  lease_refused: { status: 409, title: 'The task cannot be leased' },
  lease_lost: { status: 409, title: 'The lease is no longer valid' },
  rendition_incomplete: { status: 409, title: 'Segments of the rendition are missing' },
  outputs_missing: { status: 409, title: 'Outputs that the manifests name are not stored' },
  object_exists: { status: 409, title: 'Another object has this name' },
  token_used: { status: 409, title: 'The token has been used' },
  job_cancelled: { status: 410, title: 'The job was cancelled' },
  job_failed: { status: 410, title: 'The job failed' },
  upload_gone: { status: 410, title: 'The upload is over' },
  length_required: { status: 411, title: 'Content-Length is needed' },
  tus_version: { status: 412, title: 'The version of the tus protocol is not spoken here' },
  too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not accepted' },
  range_not_satisfiable: { status: 416, title: 'The range cannot be served' },
  protocol_unsupported: { status: 426, title: "This version of the transcoders' protocol is not spoken here" },
  rate_limited: { status: 429, title: 'There are too many requests' },
  too_many_watchers: { status: 429, title: 'Too many watch this job' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  resolver_unavailable: { status: 503, title: 'The host name of the URL cannot be resolved at the moment' },
  webhooks_unavailable: { status: 503, title: 'The list of webhook endpoints is not there at the moment' },
  keys_unavailable: { status: 503, title: 'Keys cannot be looked up at the moment' },
  upload_busy: { status: 503, title: 'Storage is still busy with bytes of this upload' },
  not_ready: { status: 503, title: 'This server cannot do its work at the moment' },
  list_unavailable: { status: 503, title: 'The list of jobs cannot be read at the moment' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The body of every error answer (RFC 9457). `detail` says what to do; `code` is for programs. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  request_id: z.string(),
});
export type Problem = z.infer<typeof Problem>;

/**
 * Why an attempt or a job ended. The first group is about the file and final; the second about a source that was to be
 * fetched from a URL; the third about the machine that tried. `cannot_follow_plan` is a refusal of this transcoder and
 * counts as no attempt.
 */
export const JobErrorCode = z.enum([
  'no_video',
  'empty_file',
  'not_media',
  'too_large',
  'too_long',
  'truncated',
  'upload_expired',

  'source_unreachable',
  'source_timeout',
  'source_incomplete',
  'source_refused',
  'source_wrong_type',
  'source_too_large',
  'source_changed',
  'source_not_resumable',
  'invalid_url',
  'url_refused',
  'url_unresolved',
  'too_many_redirects',

  'transcoder_lost',
  'encode_failed',
  'no_space',
  'stalled',
  'internal',
  'cannot_follow_plan',
]);
export type JobErrorCode = z.infer<typeof JobErrorCode>;
