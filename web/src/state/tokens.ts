/** Tokens that open one job to whoever has them: where access is closed, addresses that are shared need one. */
import { ApiError } from '../../../client/index.ts';

export const SHARED_DAYS = 30;

async function makeToken(id: string, request: object): Promise<string | null> {
  const answer = await fetch(`/jobs/${id}/tokens`, {
    method: 'POST',
    body: JSON.stringify(request),
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  });
  if (!answer.ok) throw await ApiError.from(answer);
  return ((await answer.json()) as { token: string | null }).token;
}

/** Where an output is for whoever has the token, also for players, which can send no headers. */
export const belowToken = (path: string, token: string): string =>
  path.replace(/^\/jobs\/[^/]+\/outputs/, `/play/${token}`);

/** For whoever gets the address. */
export async function sharedToken(id: string): Promise<string> {
  return (await makeToken(id, { scopes: ['watch', 'play'], expires_in: SHARED_DAYS * 86_400 })) ?? '';
}

/** For this browser: a cookie that opens the outputs of this job, so that playing asks nobody for the key. */
export async function letPlay(id: string): Promise<void> {
  await makeToken(id, { scopes: ['play'], cookie: true });
}
