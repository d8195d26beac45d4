/** Who is here, and what they may do. `role` is null for who has to sign in, and as long as the server has not said it. */
import { ApiError } from '../../../client/index.ts';
import type { Role } from '../../../src/contract/access.ts';
import { Store } from './store.ts';

export interface Session {
  /** `unknown`: the server has not answered yet. */
  mode: 'unknown' | 'open' | 'keys';
  name: string | null;
  role: Role | null;
}

export const session = new Store<Session>({ mode: 'unknown', name: null, role: null });

export const maySubmit = ({ role }: Session): boolean => role === 'submit' || role === 'admin';
export const mayDelete = ({ role }: Session): boolean => role === 'admin';

export async function askSession(): Promise<void> {
  const answer = await fetch('/session', { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw await ApiError.from(answer);
  session.set((await answer.json()) as Session);
}

/** Rejects with the server's refusal. */
export async function signIn(key: string): Promise<void> {
  const answer = await fetch('/session', {
    method: 'POST',
    body: JSON.stringify({ key }),
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  });
  if (!answer.ok) throw await ApiError.from(answer);
  await askSession();
}

export async function signOut(): Promise<void> {
  await fetch('/session', { method: 'DELETE' });
  await askSession();
}
