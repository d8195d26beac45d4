/** Manifests and what they name, in the words of the document. */
import type { ZodOpenApiContentObject, ZodOpenApiResponseObject } from 'zod-openapi';
import { OUTPUTS, PLAY } from '../access/table.ts';
import { HLS_TYPE } from '../manifests/hls.ts';
import { MPD_TYPE } from '../manifests/mpd.ts';
import type { Operation, Operations } from './operation.ts';
import { outputPath, playPath, ranges } from './parameters.ts';

const etag = { ETag: { schema: { type: 'string' } } } as const;
const text = { schema: { type: 'string' } } as const;
const binary = { schema: { type: 'string', format: 'binary' } } as const;

const files: ZodOpenApiContentObject = {
  ...{ [HLS_TYPE]: text, [MPD_TYPE]: text, 'text/vtt': text },
  ...{ 'video/mp4': binary, 'audio/mp4': binary, 'image/jpeg': binary },
};
const part: ZodOpenApiResponseObject = {
  description: 'The range that was asked for.',
  content: files,
  headers: { ...etag, 'Content-Range': { schema: { type: 'string' } } },
};

const play: Pick<Operation, 'tag' | 'headers' | 'answers' | 'problems'> = {
  tag: 'Playback',
  headers: ranges,
  answers: {
    200: { description: 'The file.', content: files, headers: etag },
    206: part,
    304: { description: 'It is the one you have.', headers: etag },
  },
  problems: ['job_not_found', 'not_found', 'job_cancelled', 'job_failed', 'range_not_satisfiable'],
};

export const PLAYBACK_OPERATIONS: Operations = {
  [OUTPUTS]: {
    ...play,
    id: 'getOutput',
    summary: 'Read a manifest, a segment, a picture',
    description: 'Manifests grow while the job runs, and are final when it is complete. All else never changes.',
    path: outputPath,
    problems: [...play.problems, 'invalid_job_id'],
  },
  [PLAY]: {
    ...play,
    id: 'playOutput',
    summary: 'The same below a token, for players that send no headers',
    path: playPath,
    problems: [...play.problems, 'unauthorized', 'forbidden'],
  },
};
