/**
 * What people and programs show to get in. A key is `rw_<id>_<secret>`: told once, stored as its digest, looked up by
 * its id. Tokens are derived from a key's right and end by themselves: for one job, for one upload, for a session of
 * the web app.
 */
import { z } from 'zod';
import { JobOptions, Key } from './job.ts';

/** `read` sees all jobs; `submit` also makes, cancels and retries them; `admin` may do everything. */
export const Role = z.enum(['read', 'submit', 'admin']);
export type Role = z.infer<typeof Role>;

/** What a job token is for: `watch` the job and its stream, `play` its outputs. */
export const Scope = z.enum(['watch', 'play']);
export type Scope = z.infer<typeof Scope>;

const KEY = /^rw_([0-9a-f]{12})_[0-9a-f]{48}$/;
export const KEY_PREFIX = 'rw_';

export const KeyId = z.string().regex(/^[0-9a-f]{12}$/, 'a key id is 12 hexadecimal digits');

/** How people know a key; it stands in the logs of jobs. */
const KeyName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u,
    'use 1 to 64 letters, digits, spaces or ._@- and begin with a letter',
  );

/** Null for what no key looks like. */
export const keyIdOf = (key: string): string | null => KEY.exec(key)?.[1] ?? null;

export function makeKey(): { id: string; key: string } {
  const id = randomHex(6);
  return { id, key: `${KEY_PREFIX}${id}_${randomHex(24)}` };
}

/** What is stored of a key. Its secret is 192 random bits, so a plain digest tells nothing about it. */
export async function digestOf(key: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))));
}

const randomHex = (bytes: number): string => hex(crypto.getRandomValues(new Uint8Array(bytes)));
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** `POST /keys`. */
export const KeyRequest = z.strictObject({ name: KeyName, role: Role });
export type KeyRequest = z.infer<typeof KeyRequest>;

/** A key as `GET /keys` shows it. `last_used_at` may be a minute behind. */
export const ApiKey = z.object({
  id: KeyId,
  name: KeyName,
  role: Role,
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** `GET /keys`, newest first; revoked ones too. */
export const KeysPage = z.object({ keys: z.array(ApiKey) });
export type KeysPage = z.infer<typeof KeysPage>;

/** 201 of `POST /keys`: the only time the key itself is told. */
export const NewApiKey = ApiKey.extend({ key: z.string().regex(KEY) });
export type NewApiKey = z.infer<typeof NewApiKey>;

const LONGEST_TOKEN_SECONDS = 30 * 86_400;
const ExpiresIn = z.int().min(1).max(LONGEST_TOKEN_SECONDS).default(86_400);

/** `POST /jobs/:id/tokens`. With `cookie` the browser that asks may play: it gets the token as a cookie and not to see. */
export const JobTokenRequest = z
  .strictObject({ scopes: z.array(Scope).min(1).max(2), expires_in: ExpiresIn, cookie: z.boolean().default(false) })
  .refine(({ cookie, scopes }) => !cookie || scopes.includes('play'), 'a cookie is for the scope play');

/** `token` is null when it went into a cookie. */
export const JobToken = z.object({ token: z.string().nullable(), expires_at: z.iso.datetime() });
export type JobToken = z.infer<typeof JobToken>;

/** What an upload token grants: one video of at most so many bytes. Its key and options go before those of the form. */
export const UploadGrant = z.strictObject({
  max_bytes: z.int().min(1),
  key: Key.nullable().default(null),
  options: JobOptions.nullable().default(null),
});

/** `POST /uploads/tokens`. */
export const UploadTokenRequest = UploadGrant.extend({ expires_in: ExpiresIn });

export const UploadToken = z.object({ token: z.string(), expires_at: z.iso.datetime() });
export type UploadToken = z.infer<typeof UploadToken>;

/** `POST /session`. */
export const SessionRequest = z.strictObject({ key: z.string().max(200) });

export const Session = z.object({ name: KeyName, role: Role, expires_at: z.iso.datetime() });
export type Session = z.infer<typeof Session>;

/** `GET /session`: what whoever asks may do here. `role` is null for who has to sign in first; in open mode all may all. */
export const WhoAmI = z.object({ mode: z.enum(['open', 'keys']), name: KeyName.nullable(), role: Role.nullable() });
export type WhoAmI = z.infer<typeof WhoAmI>;
