/** tus 1.0.0, in the words of the document. */
import { z } from 'zod';
import type { ZodOpenApiHeadersObject } from 'zod-openapi';
import { UploadToken, UploadTokenRequest } from '../../contract/access.ts';
import { UploadCreated } from '../../contract/api.ts';
import { BYTES_TYPE, TUS_VERSION } from '../tus.ts';
import { answer, BODY, json, type Operations, URL_GIVEN } from './operation.ts';
import { idempotency, jobPath } from './parameters.ts';

const Bytes = z.int().min(0);
const resumable = z.object({ 'Tus-Resumable': z.literal(TUS_VERSION) });
const offset = Bytes.describe('How many bytes are there.');
const expires = z.string().describe('When the upload ends unless it is complete; an HTTP date.');
const checksum = z
  .string()
  .describe(
    '`sha1` or `sha256`, a space, and the Base64 digest of this body. A body that does not match it is dropped.',
  );

const position: ZodOpenApiHeadersObject = {
  'Upload-Offset': { description: offset.description ?? '', schema: { type: 'integer' } },
  'Upload-Expires': { description: expires.description ?? '', schema: { type: 'string' } },
};
const content = { [BYTES_TYPE]: { schema: { type: 'string', format: 'binary' } } } as const;
const AT_UPLOAD = ['tus_version', 'invalid_job_id', 'upload_not_found', 'upload_gone', 'upload_busy'] as const;
const BYTES = ['body_incomplete', 'checksum_mismatch', 'offset_conflict', 'too_large', 'empty_file'] as const;

export const UPLOAD_OPERATIONS: Operations = {
  'POST /uploads': {
    tag: 'Uploads',
    id: 'createUpload',
    summary: 'Begin an upload in pieces (tus)',
    description:
      "The upload's id is the job's id, so it can be watched from the first byte. `OPTIONS` tells which extensions there are. " +
      'Where only GET and POST pass, `X-HTTP-Method-Override` names the method that is meant.',
    headers: resumable.extend({
      'Upload-Length': Bytes.min(1).optional(),
      'Upload-Defer-Length': z.literal('1').describe('The length is said later.').optional(),
      'Upload-Metadata': z
        .string()
        .describe('`filename`, `filetype`, `key`, `options`, `metadata`, `webhook_url`; values in Base64.')
        .optional(),
      'Upload-Checksum': checksum.optional(),
      ...idempotency.shape,
    }),
    body: { content },
    answers: {
      201: answer('The upload is there, with the bytes that came along.', UploadCreated, {
        Location: { description: 'The address of the upload.', schema: { type: 'string' } },
        ...position,
      }),
    },
    problems: [
      ...['tus_version', 'invalid_request', 'invalid_field', 'in_progress', 'token_used', 'unsupported_media_type'],
      ...['upload_gone', 'upload_busy', ...BYTES, ...URL_GIVEN],
    ] as const,
  },
  'GET /uploads/:id': {
    tag: 'Uploads',
    id: 'getUpload',
    summary: 'Ask how far an upload is (tus)',
    method: 'head',
    path: jobPath,
    headers: resumable,
    answers: {
      200: {
        description: 'Where to go on.',
        headers: {
          ...position,
          'Upload-Length': { schema: { type: 'integer' } },
          'Upload-Defer-Length': { schema: { type: 'string', const: '1' } },
          'Upload-Metadata': { schema: { type: 'string' } },
        },
      },
    },
    problems: [...AT_UPLOAD, 'method_not_allowed'],
  },
  'PATCH /uploads/:id': {
    tag: 'Uploads',
    id: 'appendToUpload',
    summary: 'Send the next bytes (tus)',
    path: jobPath,
    headers: resumable.extend({
      'Upload-Offset': Bytes,
      'Upload-Length': Bytes.min(1).optional(),
      'Upload-Checksum': checksum.optional(),
    }),
    body: { required: true, content },
    answers: { 204: { description: 'They are stored.', headers: position } },
    problems: [...AT_UPLOAD, ...BYTES, 'invalid_request', 'unsupported_media_type'],
  },
  'DELETE /uploads/:id': {
    tag: 'Uploads',
    id: 'deleteUpload',
    summary: 'End an upload (tus)',
    path: jobPath,
    headers: resumable,
    answers: { 204: { description: 'It is gone, and so is its job.' } },
    problems: [...AT_UPLOAD, 'job_not_found'],
  },
  'POST /uploads/tokens': {
    tag: 'Access',
    id: 'createUploadToken',
    summary: 'Make a token that lets somebody send one video',
    body: { required: true, content: json(UploadTokenRequest) },
    answers: { 201: answer('The token.', UploadToken) },
    problems: BODY,
  },
};
