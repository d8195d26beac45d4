/** The routes of jobs, in the words of the document. */
import type { z } from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import {
  Accepted,
  EventsPage,
  EventsQuery,
  JobChanged,
  JobDeleted,
  JobRequest,
  JobsPage,
  JobsQuery,
  StreamsQuery,
} from '../../contract/api.ts';
import { Job } from '../../contract/job.ts';
import { StreamEvent, StreamsEvent } from './events.ts';
import { answer, BODY, JOB, json, type Operations, URL_GIVEN } from './operation.ts';
import { idempotency, jobPath, streamHeaders, streamQuery } from './parameters.ts';
import { VideoForm, VideoQuery } from './video.ts';

/** The schema is that of one event. */
const streamOf = (event: z.ZodType, description: string): ZodOpenApiResponseObject => ({
  description,
  content: { 'text/event-stream': { schema: event } },
});

const OVER = { description: 'All that was asked for has ended, and `Last-Event-ID` was its end: reconnect no more.' };
const bytes = { schema: { type: 'string', format: 'binary' } } as const;

export const JOB_OPERATIONS: Operations = {
  'POST /process': {
    tag: 'Jobs',
    id: 'processVideo',
    summary: 'Send a video and make a job of it',
    description: 'As a form, or as the bytes themselves with their Content-Length and the fields in the query.',
    query: VideoQuery,
    headers: idempotency,
    body: {
      required: true,
      content: { 'multipart/form-data': { schema: VideoForm }, 'application/octet-stream': bytes, 'video/*': bytes },
    },
    answers: { 202: answer('The video is stored, and the job waits for a transcoder.', Accepted) },
    problems: [
      ...['invalid_request', 'invalid_field', 'unknown_field', 'duplicate_field', 'missing_video'],
      ...['empty_file', 'body_incomplete', 'in_progress', 'token_used', 'length_required', 'too_large'],
      ...['unsupported_media_type', ...URL_GIVEN],
    ] as const,
  },
  'POST /jobs': {
    tag: 'Jobs',
    id: 'fetchVideo',
    summary: 'Make a job of a video that is fetched from a URL',
    description: 'A connection that breaks is tried again, and goes on where it was if the source can do that.',
    headers: idempotency,
    body: { required: true, content: json(JobRequest) },
    answers: { 202: answer('The URL is accepted, and the video is being fetched.', Accepted) },
    problems: [...BODY, 'in_progress', ...URL_GIVEN],
  },
  'GET /jobs': {
    tag: 'Jobs',
    id: 'listJobs',
    summary: 'List jobs, newest first',
    description: 'May be a second behind the jobs themselves, progress five.',
    query: JobsQuery,
    answers: { 200: answer('A page of jobs.', JobsPage) },
    problems: ['invalid_request', 'invalid_field', 'list_unavailable'],
  },
  'GET /jobs/:id': {
    tag: 'Jobs',
    id: 'getJob',
    summary: 'Read a job',
    path: jobPath,
    answers: { 200: answer('The job.', Job) },
    problems: JOB,
  },
  'GET /jobs/:id/stream': {
    tag: 'Jobs',
    id: 'streamJob',
    summary: 'Follow a job live (server-sent events)',
    description:
      'Begins with `status`, the whole job, or behind the event that `Last-Event-ID` names; ends with the job. `0` replays all.',
    path: jobPath,
    query: streamQuery,
    headers: streamHeaders,
    answers: { 200: streamOf(StreamEvent, 'The events, as they come.'), 204: OVER },
    problems: [...JOB, 'too_many_watchers'],
  },
  'GET /streams': {
    tag: 'Jobs',
    id: 'streamJobs',
    summary: 'Follow up to 50 jobs over one connection',
    description: 'Is closed after about ten minutes, and goes on with `Last-Event-ID`.',
    query: StreamsQuery.extend(streamQuery.shape),
    headers: streamHeaders,
    answers: { 200: streamOf(StreamsEvent, 'The events of all, as they come.'), 204: OVER },
    problems: ['invalid_request', 'too_many_watchers'],
  },
  'GET /jobs/:id/events': {
    tag: 'Jobs',
    id: 'listEvents',
    summary: 'Read the log of a job',
    description: 'With `Accept: text/event-stream` it is the stream.',
    path: jobPath,
    query: EventsQuery.extend(streamQuery.shape),
    headers: streamHeaders,
    answers: {
      200: {
        description: 'Entries, oldest first.',
        content: {
          ...answer('', EventsPage).content,
          ...streamOf(StreamEvent, '').content,
        },
      },
      204: OVER,
    },
    problems: [...JOB, 'invalid_request', 'too_many_watchers'],
  },
  'POST /jobs/:id/cancel': {
    tag: 'Jobs',
    id: 'cancelJob',
    summary: 'Cancel a job',
    description: 'What is finished, and the source, stay until retention ends: a retry goes on from there.',
    path: jobPath,
    answers: { 202: answer('The job is cancelled.', JobChanged) },
    problems: [...JOB, 'invalid_state'],
  },
  'POST /jobs/:id/retry': {
    tag: 'Jobs',
    id: 'retryJob',
    summary: 'Try a job again that failed or was cancelled',
    path: jobPath,
    answers: { 202: answer('The job waits for a transcoder again.', JobChanged) },
    problems: [...JOB, 'invalid_state', 'no_source'],
  },
  'DELETE /jobs/:id': {
    tag: 'Jobs',
    id: 'deleteJob',
    summary: 'Delete a job and all it has',
    path: jobPath,
    answers: { 202: answer('Nobody finds it any more; its objects are being removed.', JobDeleted) },
    problems: JOB,
  },
};
