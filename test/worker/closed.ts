/**
 * The edge as it is deployed: with keys in the database and secrets, and nothing open. Everything that is logged
 * meanwhile is kept, and every secret that was given out, so that a test can look for one in the other.
 */
import { applyD1Migrations, env, SELF } from 'cloudflare:test';
import { sign } from 'hono/jwt';
import { vi } from 'vitest';
import { digestOf, JobToken, makeKey, type Role, UploadToken } from '../../src/contract/access.ts';
import { UploadCreated } from '../../src/contract/api.ts';
import { MASTER, outputKey } from '../../src/contract/ids.ts';
import { JobOptions } from '../../src/contract/job.ts';
import { TABLES } from '../../src/durable/job-list.ts';
import { documented } from './documented.ts';
import { RESUMABLE } from './tus.ts';

export { env };

export const ORIGIN = 'https://edge.example';
export const TOKEN_SECRET = 'the-token-secret-of-these-tests';
export const TRANSCODER_TOKEN = 'the-transcoder-token-of-these-tests';

const logged: string[] = [];
const secrets = new Set([TOKEN_SECRET, TRANSCODER_TOKEN]);

/** Brings the tables, and keeps what is logged until the file ends. */
export const deploy = async (): Promise<void> => {
  logged.length = 0;
  for (const level of ['debug', 'log', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...parts) => void logged.push(parts.map(String).join(' ')));
  }
  await applyD1Migrations(env.DB, [{ name: 'all', queries: [...TABLES] }]);
};

export const linesWith = (text: string): string[] => logged.filter((line) => line.includes(text));

/** The lines that hold a secret, or the last part of one; and how many lines there are. */
export function betrayed(): { lines: string[]; of: number } {
  const parts = [...secrets].flatMap((secret) => [secret, secret.slice(-20)]);
  return { lines: logged.filter((line) => parts.some((part) => line.includes(part))), of: logged.length };
}

export function secret(text: string): string {
  secrets.add(text);
  return text;
}

export async function call(path: string, init: RequestInit = {}, host = 'edge.example'): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('Host', host);
  const request = { redirect: 'manual', ...init, headers } as const;
  return documented(path, request, await SELF.fetch(new URL(path, ORIGIN).href, request));
}

export const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

export const send = (path: string, token: string, body: unknown, method = 'POST'): Promise<Response> =>
  call(path, { method, body: JSON.stringify(body), headers: bearer(token) });

/** A key in the database. */
export async function newKey(role: Role, name = `${role}-bot`): Promise<{ id: string; key: string }> {
  const { id, key } = makeKey();
  await env.DB.prepare('INSERT INTO api_keys (id, name, role, hash, created_at) VALUES (?, ?, ?, ?, ?)')
    .bind(id, name, role, await digestOf(key), Date.now())
    .run();
  return { id, key: secret(key) };
}

/** A job that waits for a transcoder. */
export async function newJob(): Promise<string> {
  const job_id = crypto.randomUUID();
  await env.JOB.getByName(job_id).create({
    ...{ job_id, key: 'clip', bucket: 'reelwire-output', metadata: {}, by: 'a test' },
    source: { size_bytes: 1000, content_type: 'video/mp4' },
    options: JobOptions.parse({}),
  });
  return job_id;
}

/** An upload of 10 bytes, begun by whoever has shown this. */
export async function newUpload(shown: string): Promise<string> {
  const headers = { ...bearer(shown), ...RESUMABLE, 'Upload-Length': '10' };
  return UploadCreated.parse(await (await call('/uploads', { method: 'POST', headers })).json()).job_id;
}

export const MASTER_TEXT = '#EXTM3U\n';
export const SEGMENT = '720p/t1/1.m4s';

/** The same with outputs that need nobody to be asked. */
export async function playableJob(): Promise<string> {
  const id = await newJob();
  for (const [path, text] of [
    [MASTER, MASTER_TEXT],
    [SEGMENT, 'segment'],
    ['final', ''],
  ] as const) {
    await env.OUTPUT.put(outputKey(id, path), text);
  }
  return id;
}

export async function jobToken(job: string, key: string, scopes = ['watch', 'play']): Promise<string> {
  const answer = await send(`/jobs/${job}/tokens`, key, { scopes });
  return secret(JobToken.parse(await answer.json()).token ?? '');
}

export async function uploadToken(key: string, grant: object = { max_bytes: 1000 }): Promise<string> {
  return secret(UploadToken.parse(await (await send('/uploads/tokens', key, grant)).json()).token);
}

type Alg = 'HS256' | 'HS512';

/** A job token signed by the test itself. */
export async function forged(
  job: string,
  { claims = {}, signer = TOKEN_SECRET, alg = 'HS256' }: { claims?: object; signer?: string; alg?: Alg } = {},
): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 60;
  return secret(await sign({ aud: 'job', sub: job, scopes: ['watch', 'play'], exp, ...claims }, signer, alg));
}

/** An hour after its end. */
export const expired = (job: string): Promise<string> =>
  forged(job, { claims: { exp: Math.floor(Date.now() / 1000) - 3600 } });
