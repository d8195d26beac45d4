/** Whether the server can be reached, by what the last request and the stream have met; and what was refused. */
import { ApiError } from '../../../client/index.ts';
import { session } from './session.ts';
import { Store } from './store.ts';

/** `silent`: requests go out and nothing comes back. */
export const reach = new Store<'fine' | 'silent' | 'offline'>(navigator.onLine ? 'fine' : 'offline');

window.addEventListener('offline', () => reach.set('offline'));
window.addEventListener('online', () => reach.set('fine'));

/** The answer of a request; null when the server was not reached. What the server refuses is thrown. */
export async function reaching<T>(request: Promise<T>): Promise<T | null> {
  try {
    const answer = await request;
    reach.set('fine');
    return answer;
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) {
      reach.set('fine');
      if (error.status === 401) session.change({ role: null });
      throw error;
    }
    reach.set(navigator.onLine ? 'silent' : 'offline');
    return null;
  }
}

/** What to tell somebody about an error. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ApiError) return error.detail;
  return 'The server does not answer. Try again in a moment.';
}
