/** The edge as its clients see it: a few calls that every test makes. */
import { createExecutionContext, env, SELF, waitOnExecutionContext } from 'cloudflare:test';
import { z } from 'zod';
import { Accepted } from '../../src/contract/api.ts';
import { Problem } from '../../src/contract/errors.ts';
import { Job } from '../../src/contract/job.ts';
import { LeaseGrant, type Report } from '../../src/contract/transcoder.ts';
import type { Env } from '../../src/durable/env.ts';
import { app } from '../../src/worker/app.ts';
import { PLAN } from '../unit/commands.ts';
import { documented } from './documented.ts';

declare global {
  namespace Cloudflare {
    interface Env extends Bindings {}
  }
}
type Bindings = Env;

export { env };

export const ORIGIN = 'http://localhost:8787';

export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has('Host')) headers.set('Host', 'localhost:8787');
  const request = { ...init, headers };
  return documented(path, request, await SELF.fetch(new URL(path, ORIGIN).href, request));
}

/** A request to the application with other bindings; the gate stays open. */
export async function ask(path: string, bindings: Partial<Env>): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(new URL(path, ORIGIN), { headers: { Host: 'localhost:8787' } });
  const answer = await app.fetch(request, { ...env, ...bindings }, context);
  await waitOnExecutionContext(context);
  return answer;
}

export const post = (path: string, body: unknown): Promise<Response> =>
  call(path, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });

/** The answer's problem, after checking that it is one and that status and body agree. */
export async function problemOf(answer: Response): Promise<{ status: number; code: string; detail: string }> {
  const { status, code, detail, request_id } = Problem.parse(await answer.json());
  if (answer.headers.get('Content-Type') !== 'application/problem+json') throw new Error('not problem+json');
  if (answer.status !== status || answer.headers.get('X-Request-Id') !== request_id)
    throw new Error('contradicts itself');
  return { status, code, detail };
}

/** Makes a job out of a few bytes and returns its id. */
export async function submit(bytes: BodyInit = 'not really a video'): Promise<string> {
  const answer = await call('/process?key=clip', {
    method: 'POST',
    body: bytes,
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  return Accepted.parse(await answer.json()).job_id;
}

export async function job(id: string): Promise<Job> {
  return Job.parse(await (await call(`/jobs/${id}`)).json());
}

let requests = 0;

/** Takes the job's lease, as a transcoder would, and returns its number. */
export async function lease(id: string): Promise<number> {
  requests += 1;
  const request = { task: 'main', transcoder: 'test-box', request_id: `request-${requests}` };
  return LeaseGrant.parse(await (await post(`/internal/jobs/${id}/lease`, request)).json()).lease;
}

export const report = (id: string, lease: number, batch: number, news: Partial<Report> = {}): Promise<Response> =>
  post(`/internal/jobs/${id}/report`, { lease, batch, entries: [], commits: [], ...news });

/** A stored segment: its bytes are in R2 before it is committed. */
export async function storeSegment(
  id: string,
  lease: number,
  rendition: string,
  name: string,
  text: string,
): Promise<Response> {
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return call(`/internal/jobs/${id}/outputs/${rendition}/${name}`, {
    method: 'PUT',
    body: bytes,
    headers: {
      'Content-Length': String(bytes.length),
      'Repr-Digest': `sha-256=:${digest.toBase64()}:`,
      'Reelwire-Lease': `main:${lease}`,
    },
  });
}

export const segmentText = (rendition: string, n: number): string => `segment ${n} of ${rendition}, made for this test`;

/** Stores and commits every segment of the plan, and declares the renditions whole. */
export async function makeOutputs(id: string, lease: number, firstBatch = 1): Promise<Response> {
  const commits: Report['commits'] = [];
  for (const rendition of ['audio', '360p', '720p']) {
    for (const n of [0, 1, 2, 3]) {
      const text = segmentText(rendition, n);
      await storeSegment(id, lease, rendition, n === 0 ? 'init.mp4' : `${n}.m4s`, text);
      const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toHex();
      const keyframe = n === 0 || rendition === 'audio' ? null : { offset: 0, length: 7 };
      commits.push({ rendition, n, duration: n === 0 ? 0 : 4, bytes: text.length, sha256, keyframe });
    }
  }
  const wholes = ['audio', '360p', '720p'].map((name) => ({ type: 'rendition' as const, name, segments: 3 }));
  return report(id, lease, firstBatch, {
    entries: [{ type: 'plan', plan: PLAN }, { type: 'stage', stage: 'transcoding', message: 'Transcoding' }, ...wholes],
    commits,
  });
}

export const finish = (id: string, lease: number): Promise<Response> =>
  post(`/internal/jobs/${id}/finish`, { lease, result: { duration_seconds: 12 } });

/** A job from upload to completion. */
export async function completedJob(): Promise<string> {
  const id = await submit();
  const number = await lease(id);
  await makeOutputs(id, number);
  const answer = z.object({ status: z.string() }).parse(await (await finish(id, number)).json());
  if (answer.status !== 'completed') throw new Error(`The job is ${answer.status}`);
  return id;
}

/** Keys in a bucket below a prefix. */
export async function keys(bucket: R2Bucket, prefix: string): Promise<string[]> {
  return (await bucket.list({ prefix })).objects.map(({ key }) => key);
}
