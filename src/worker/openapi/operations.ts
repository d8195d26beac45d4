/** All routes of the document, and the problems that each can be answered with. */
import { PROBLEMS, type ProblemCode } from '../../contract/errors.ts';
import { ACCESS, PAGES } from '../access/table.ts';
import { ACCESS_OPERATIONS } from './access.ts';
import { JOB_OPERATIONS } from './jobs.ts';
import type { Operations } from './operation.ts';
import { PLAYBACK_OPERATIONS } from './playback.ts';
import { SERVICE_OPERATIONS } from './service.ts';
import { UPLOAD_OPERATIONS } from './uploads.ts';
import { WEBHOOK_OPERATIONS } from './webhooks.ts';

/** By the route as the application has it: `GET /jobs/:id`. */
export const OPERATIONS: Operations = {
  ...JOB_OPERATIONS,
  ...UPLOAD_OPERATIONS,
  ...PLAYBACK_OPERATIONS,
  ...WEBHOOK_OPERATIONS,
  ...ACCESS_OPERATIONS,
  ...SERVICE_OPERATIONS,
};

/** Transcoders, the stand-in for a queue, and the files of pages are not for callers. */
export const isPublic = (route: string): boolean =>
  !PAGES.includes(route) && !/^\w+ \/(internal|client|docs)\//.test(route);

/** What the door and any failure of ours can answer. */
const ALWAYS: readonly ProblemCode[] = ['access_closed', 'rate_limited', 'internal'];
const FOR_SOME: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'keys_unavailable'];

/** In the order of the table of problems. */
export function problemsOf(route: string): ProblemCode[] {
  const isForAll = ACCESS[route]?.includes('anyone') ?? false;
  const codes = new Set([...ALWAYS, ...(isForAll ? [] : FOR_SOME), ...(OPERATIONS[route]?.problems ?? [])]);
  return (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.has(code));
}
