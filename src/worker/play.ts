/**
 * `GET /play/<token>/...`: the outputs of the job that the token is for, under an address that any player can load
 * without headers. Manifests name their segments relative to themselves, so all of them carry the token.
 */
import type { Context } from 'hono';
import { unauthorized } from './access/credentials.ts';
import type { App } from './app.ts';
import { sendOutput } from './outputs.ts';

export async function play(c: Context<App>): Promise<Response> {
  const principal = c.get('principal');
  if (principal.kind !== 'job' || !principal.scopes.includes('play')) {
    throw unauthorized('The address must hold a token for play: POST /jobs/:id/tokens makes one.');
  }
  c.set('job', principal.job_id);
  const [, , , ...path] = new URL(c.req.url).pathname.split('/');
  return sendOutput(c, principal.job_id, path.join('/'));
}
