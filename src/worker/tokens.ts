/**
 * Tokens: signed with TOKEN_SECRET (HS256 and nothing else), for one audience each, and always with an end. While the
 * secret is being changed, what the one before it has signed stays valid. A job token opens one job; an upload token
 * lets one video in, which is why the tokens that have brought theirs are remembered until they expire.
 */
import type { Context } from 'hono';
import { sign, verify } from 'hono/jwt';
import { z } from 'zod';
import {
  type JobToken,
  JobTokenRequest,
  KeyId,
  Scope,
  UploadGrant,
  type UploadToken,
  UploadTokenRequest,
} from '../contract/access.ts';
import { JobId } from '../contract/ids.ts';
import { setPlayCookie } from './access/cookies.ts';
import { tokenSecrets } from './access/open.ts';
import { nameOf } from './access/principal.ts';
import type { App } from './app.ts';
import { jobId, jobNotFound, jobObject } from './job-object.ts';
import { inDatabase } from './keys.ts';
import { ProblemError, parse } from './problems.ts';
import { json } from './queue-api.ts';

/** Longer than any that we make. */
const LONGEST = 4096;

/** Seconds since 1970. */
const Exp = z.int().min(1);
const JobClaims = z.object({ aud: z.literal('job'), sub: JobId, scopes: z.array(Scope), exp: Exp });
const SessionClaims = z.object({ aud: z.literal('session'), sub: KeyId, exp: Exp });
export const UploadClaims = z.object({
  aud: z.literal('upload'),
  jti: z.uuid(),
  grant: UploadGrant,
  /** Who made the token. */
  by: z.string(),
  exp: Exp,
});
export type UploadClaims = z.infer<typeof UploadClaims>;
const Claims = z.discriminatedUnion('aud', [JobClaims, SessionClaims, UploadClaims]);
export type Claims = z.infer<typeof Claims>;
type Timeless<T> = T extends unknown ? Omit<T, 'exp'> : never;

/** The token and its end. */
export async function makeToken(
  c: Context<App>,
  claims: Timeless<Claims>,
  seconds: number,
): Promise<{ token: string; expires_at: string }> {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const [secret] = tokenSecrets(c.env, c.get('isOpen'));
  const token = await sign({ ...claims, exp }, secret, 'HS256');
  return { token, expires_at: new Date(exp * 1000).toISOString() };
}

/** What the token says; null if it is none of ours, or none any more. */
export async function readToken(c: Context<App>, token: string): Promise<Claims | null> {
  if (token === '' || token.length > LONGEST) return null;
  for (const secret of tokenSecrets(c.env, c.get('isOpen'))) {
    const payload = await verify(token, secret, 'HS256').catch(() => null);
    const { data } = Claims.safeParse(payload);
    if (data) return data;
  }
  return null;
}

/** `POST /jobs/:id/tokens`. */
export async function makeJobToken(c: Context<App, '/:id/*'>): Promise<Response> {
  const job_id = jobId(c);
  const { scopes, expires_in, cookie } = parse(JobTokenRequest, await json(c));
  if ((await jobObject(c).view()) === null) throw jobNotFound();
  const claims = { aud: 'job' as const, sub: job_id, scopes: cookie ? ['play' as const] : scopes };
  const made = await makeToken(c, claims, expires_in);
  if (cookie) setPlayCookie(c, job_id, made.token, expires_in);
  return c.json({ ...made, token: cookie ? null : made.token } satisfies JobToken, 201);
}

/** `POST /uploads/tokens`. */
export async function makeUploadToken(c: Context<App>): Promise<Response> {
  const { expires_in, ...grant } = parse(UploadTokenRequest, await json(c));
  const by = nameOf(c.get('principal'));
  const claims = { aud: 'upload' as const, jti: crypto.randomUUID(), grant, by };
  return c.json((await makeToken(c, claims, expires_in)) satisfies UploadToken, 201);
}

/** Refuses an upload token that has brought its upload: before the bytes are read, for nothing. */
export async function refuseSpent(c: Context<App>, { jti }: UploadClaims): Promise<void> {
  const find = (db: D1Database) => db.prepare('SELECT 1 FROM spent_tokens WHERE id = ?').bind(jti).first();
  if ((await inDatabase(c, find)) !== null) throw spent();
}

/** A body that began before its token expired may take so long, in seconds. */
const LONGEST_UPLOAD_SECONDS = 7 * 86_400;

/** From now on the token brings nothing any more; refuses when another request was faster. */
export async function spend(c: Context<App>, { jti, exp }: UploadClaims): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  if (exp + LONGEST_UPLOAD_SECONDS < now) throw spent();
  const [, noted] = await inDatabase(c, (db) =>
    db.batch([
      db.prepare('DELETE FROM spent_tokens WHERE expires_at < ?').bind(now),
      db
        .prepare('INSERT INTO spent_tokens VALUES (?, ?) ON CONFLICT (id) DO NOTHING')
        .bind(jti, exp + LONGEST_UPLOAD_SECONDS + 60),
    ]),
  );
  if (noted?.meta.changes !== 1) throw spent();
}

/** The token's video was refused and is gone: it may bring another. Only for who has spent it. */
export async function giveBack(c: Context<App>, { jti }: UploadClaims): Promise<void> {
  await inDatabase(c, (db) => db.prepare('DELETE FROM spent_tokens WHERE id = ?').bind(jti).run());
}

const spent = (): ProblemError =>
  new ProblemError('token_used', 'An upload token brings one video. Ask for another one.');
