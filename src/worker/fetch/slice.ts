/**
 * One message of the fetch queue: fetches a slice of a source, for as long as a slice may take, and hands its bytes to
 * the upload object as they come. That one tells where to go on, and decides what follows from how the slice ended. A
 * slice that dies with its Worker is missed by the job, which puts another message into the queue.
 */
import { type Env, settings } from '../../durable/env.ts';
import type { Outcome } from '../../durable/outcome.ts';
import { guardsFrom } from '../../durable/resolver.ts';
import { within } from '../../durable/timing.ts';
import type { Position, Slice, SliceEnd, SourceFound } from '../../durable/upload/stored.ts';
import { followGuarded } from '../../durable/url-guard.ts';
import { unwrap } from '../problems.ts';
import { askFor, CHANGED, failed, judge, later, tooLarge } from './answer.ts';
import { type PumpEnd, pump } from './pump.ts';

/** How long the upload object may take to store what it has been handed. */
const STORE_MS = 60_000;

/** Never rejects: what goes wrong here comes again, and with it the next message. */
export async function fetchSlice(env: Env, job_id: string): Promise<void> {
  try {
    const order = await env.JOB.getByName(job_id).toFetch();
    if (!order) return;
    const { MAX_UPLOAD_BYTES: max_bytes } = settings(env);
    const upload = env.UPLOAD.getByName(job_id);
    const slice = unwrap(await upload.claim({ job_id, run: order.run, max_bytes }));
    if (!slice) return;
    const end = await fetchPart(env, job_id, order.url, slice);
    if (end) unwrap(await upload.settle(slice.n, end));
  } catch (error) {
    console.error(JSON.stringify({ msg: 'a slice could not be fetched', job: job_id, error: String(error) }));
  }
}

/** Null when there is nobody to tell: the source is whole, or not wanted any more. */
async function fetchPart(env: Env, job_id: string, url: string, slice: Slice): Promise<SliceEnd | null> {
  const { FETCH_SLICE_MS, FETCH_SILENCE_MS, MAX_UPLOAD_BYTES } = settings(env);
  const deadline = Date.now() + FETCH_SLICE_MS;
  const stop = new AbortController();
  try {
    const answer = await reach(env, url, slice, stop);
    if ('is' in answer) return answer;
    const judged = judge(answer, slice, MAX_UPLOAD_BYTES);
    if ('is' in judged) return judged;
    if (!answer.body) return failed('empty_file', 'The source has no bytes. Check the URL.');
    const { readable, writable } = new IdentityTransformStream();
    const bringing: Promise<Outcome<Position>> = env.UPLOAD.getByName(job_id).bring(slice.n, judged.found, readable);
    const limits = { deadline, silenceMs: FETCH_SILENCE_MS, over: Promise.allSettled([bringing]) };
    const ended = await pump(answer.body, writable, limits);
    const brought = await within(STORE_MS, bringing);
    if (brought.ok) return endOf(ended, judged.found, brought.value.offset);
    if (brought.code === 'too_large') return judged.found.length === null ? tooLarge(MAX_UPLOAD_BYTES) : CHANGED;
    return brought.code === 'upload_busy' ? later('internal', 'Storage could not take the source. Try again.') : null;
  } finally {
    stop.abort();
  }
}

/** The answer of the server that the URL leads to, or why there is none. */
async function reach(env: Env, url: string, slice: Slice, stop: AbortController): Promise<Response | SliceEnd> {
  const { FETCH_SILENCE_MS, ...rest } = settings(env);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop.abort();
  }, FETCH_SILENCE_MS);
  try {
    const headers = askFor(slice);
    const send: typeof fetch = (to, init) => fetch(to, { ...init, headers, signal: stop.signal });
    const reached = await followGuarded(url, send, guardsFrom(rest));
    if (reached.ok) return reached.value.response;
    if (reached.code === 'resolver_unavailable') return later('source_unreachable', reached.detail);
    return failed(reached.code, reached.detail);
  } catch {
    return isLate ? SILENT : later('source_unreachable', 'The server of the source could not be reached. Try again.');
  } finally {
    clearTimeout(timer);
  }
}

function endOf(ended: PumpEnd, { length }: SourceFound, offset: number): SliceEnd | null {
  if (offset === length) return null;
  switch (ended) {
    case 'ended':
      return length === null ? { is: 'ended' } : incomplete(offset, length);
    case 'sliced':
      return { is: 'sliced' };
    case 'silent':
      return SILENT;
    case 'cut':
    case 'over':
      return incomplete(offset, length);
    default:
      return ended satisfies never;
  }
}

const SILENT = later('source_timeout', 'The server of the source sent nothing, or next to nothing, again and again.');

const incomplete = (offset: number, length: number | null): SliceEnd =>
  later(
    'source_incomplete',
    `The source broke off after ${offset} of ${length ?? 'an unknown number of'} bytes. Try again.`,
  );
