/** Who stands behind a request, what they are called in the log of a job, and which jobs are there for them. */
import type { Context } from 'hono';
import type { Role, Scope } from '../../contract/access.ts';
import type { App } from '../app.ts';
import type { UploadClaims } from '../tokens.ts';

export type Principal =
  | { kind: 'nobody' }
  | { kind: 'key'; id: string; name: string; role: Role }
  | { kind: 'job'; job_id: string; scopes: readonly Scope[] }
  | { kind: 'upload'; claims: UploadClaims };

export const NOBODY: Principal = { kind: 'nobody' };

/** As in `Cancelled by key ci-bot`. In open mode nobody needs to say who they are. */
export function nameOf(principal: Principal): string {
  switch (principal.kind) {
    case 'nobody':
      return 'the API';
    case 'key':
      return `key ${principal.name}`;
    case 'job':
      return 'a job token';
    case 'upload':
      return `an upload token of ${principal.claims.by}`;
    default:
      return principal satisfies never;
  }
}

/** What tells those who ask apart; for nobody, nothing. */
export function identityOf(principal: Principal): string | null {
  switch (principal.kind) {
    case 'nobody':
      return null;
    case 'key':
      return `key ${principal.id}`;
    case 'job':
      return `job ${principal.job_id}`;
    case 'upload':
      return `upload ${principal.claims.jti}`;
    default:
      return principal satisfies never;
  }
}

/** Null for whom all uploads are there, else whose uploads are. */
export function uploadsOf(c: Context<App>): string | null {
  const principal = c.get('principal');
  const seesAll = c.get('isOpen') || (principal.kind === 'key' && principal.role === 'admin');
  return seesAll ? null : (identityOf(principal) ?? '');
}

/** The upload token that a video comes with; null when it comes with a key. */
export function uploadToken(c: Context<App>): UploadClaims | null {
  const principal = c.get('principal');
  return principal.kind === 'upload' ? principal.claims : null;
}

/** Whether this job is there for whoever asks. To others it is as one that nobody knows. */
export function sees(c: Context<App>, job_id: string): boolean {
  const principal = c.get('principal');
  return c.get('isOpen') || principal.kind !== 'job' || principal.job_id === job_id;
}

/** The job that a path below `/jobs/:id` names, as it stands there, but for the case of its letters. */
export const jobInPath = (c: Context<App>): string | undefined => c.req.path.split('/')[2]?.toLowerCase();
