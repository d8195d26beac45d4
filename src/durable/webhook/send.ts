/**
 * One attempt: signs the event, has its address checked once more, and posts it. A redirect is an answer, not a way.
 * Of the answer's body the beginning is kept and the rest never read. Whatever goes wrong is a result, so this never
 * rejects, and all of it ends within the time-out.
 */
import type { AttemptError } from '../../contract/webhooks.ts';
import { type Guards, guard } from '../url-guard.ts';
import { retryAfterMs } from './pace.ts';
import { signatures } from './sign.ts';

const EXCERPT_BYTES = 1024;

export interface Message {
  id: string;
  url: string;
  body: string;
  secrets: readonly string[];
}

/** `error` is null for an answer that counts as success. `retryAfterMs`: how long the receiver wants to be left alone. */
export interface Sent {
  status: number | null;
  latency_ms: number;
  answer: string | null;
  error: AttemptError | null;
  retryAfterMs: number;
}

export async function send(message: Message, guards: Guards, timeoutMs: number): Promise<Sent> {
  const begun = Date.now();
  // A timer that is cleared: one that went on would keep the object awake.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const failed = (error: AttemptError): Sent => {
    return { status: null, latency_ms: Date.now() - begun, answer: null, error, retryAfterMs: 0 };
  };
  try {
    const guarded = await guard(message.url, guards);
    if (!guarded.ok) return failed('url_refused');
    const response = await fetch(guarded.value, { ...(await request(message)), signal: late.signal });
    const { status, headers, body } = response;
    const latency_ms = Date.now() - begun;
    const retryAfter = status === 429 || status === 503 ? retryAfterMs(headers.get('Retry-After'), Date.now()) : 0;
    return { status, latency_ms, answer: await excerpt(body), error: errorOf(status), retryAfterMs: retryAfter };
  } catch {
    return failed(late.signal.aborted ? 'timeout' : 'connection_failed');
  } finally {
    clearTimeout(timer);
  }
}

async function request({ id, body, secrets }: Message): Promise<RequestInit> {
  const seconds = Math.floor(Date.now() / 1000);
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'Reelwire',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': await signatures(secrets, id, seconds, body),
  };
  return { method: 'POST', redirect: 'manual', headers, body };
}

function errorOf(status: number): AttemptError | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return 'redirect';
  return status === 410 ? 'gone' : 'http_error';
}

/** What is cut off or takes too long is told as far as it came. */
async function excerpt(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const bytes = new Uint8Array(EXCERPT_BYTES);
  let length = 0;
  const reader = body?.getReader();
  try {
    while (reader && length < EXCERPT_BYTES) {
      const { value, done } = await reader.read();
      if (done) break;
      const part = value.subarray(0, EXCERPT_BYTES - length);
      bytes.set(part, length);
      length += part.length;
    }
    await reader?.cancel();
  } catch {
    // The status has said what there is to know.
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
