/**
 * Carries events from the outbox to the receiver: a few at a time, one of each lane, and while the endpoint is failing
 * only one. That an event is being sent is stored before it is, so what a restart cuts off is sent again under the
 * same id. Each answer is judged in one turn: what becomes of the event, and what it tells about the endpoint.
 */
import type { TroubleCode } from '../../contract/webhooks.ts';
import { type Env, settings } from '../env.ts';
import { guardsFrom } from '../resolver.ts';
import { RESOLVE_MS } from '../url-guard.ts';
import { type Endpoint, type EndpointRow, revised, validSecrets } from './endpoint.ts';
import type { Outbox, Outcome, Outgoing } from './outbox.ts';
import { afterFailure, HEALTHY, isOpen, nextAttempt } from './pace.ts';
import { type Sent, send } from './send.ts';

const AT_ONCE = 5;

/** Nothing that is being sent takes so much longer than the time-out: there is a name to resolve. */
const GRACE_MS = RESOLVE_MS + 1000;

const HOUR_MS = 3_600_000;

export class Courier {
  readonly #row: EndpointRow;
  readonly #outbox: Outbox;
  readonly #storage: DurableObjectStorage;
  readonly #onLanded: () => void;

  /** `onLanded` is called when an attempt is over and judged. */
  constructor(storage: DurableObjectStorage, row: EndpointRow, outbox: Outbox, onLanded: () => void) {
    this.#storage = storage;
    this.#row = row;
    this.#outbox = outbox;
    this.#onLanded = onLanded;
  }

  /** Begins all attempts that can begin now; each promise is one of them, and never rejects. */
  begin(env: Env, endpoint: Endpoint, now: number): Promise<void>[] {
    this.#outbox.recover(now, now);
    if (endpoint.deleted || endpoint.disabled || now < endpoint.health.quiet_until) return [];
    const probe = isOpen(endpoint.health);
    const begun: Promise<void>[] = [];
    for (let free = (probe ? 1 : AT_ONCE) - this.#outbox.sending; free > 0; free--) {
      const event = probe ? this.#outbox.nextProbe() : this.#outbox.next(now);
      if (!event) break;
      this.#outbox.begin(event.n, now, now + settings(env).WEBHOOK_TIMEOUT_MS + GRACE_MS);
      begun.push(this.#carry(env, endpoint, event, probe));
    }
    return begun;
  }

  /** When something can begin, or must be over, next. */
  nextAt({ deleted, disabled, health }: Endpoint, now: number): number | null {
    const { first, later, overdue } = this.#outbox.dueAt(now);
    if (deleted || disabled) return overdue;
    if (isOpen(health)) return overdue ?? (first === null ? null : health.quiet_until);
    // What is due and has not begun waits for something that is being sent.
    const due = overdue === null ? first : later;
    return due === null ? overdue : Math.min(overdue ?? Number.POSITIVE_INFINITY, Math.max(due, health.quiet_until));
  }

  async #carry(env: Env, endpoint: Endpoint, event: Outgoing, probe: boolean): Promise<void> {
    const at = Date.now();
    const secrets = validSecrets(endpoint, at).map(({ secret }) => secret);
    const { WEBHOOK_TIMEOUT_MS, ...rest } = settings(env);
    const sent = await send({ ...event, url: endpoint.url, secrets }, guardsFrom(rest), WEBHOOK_TIMEOUT_MS);
    this.#land(env, event, at, probe, sent);
    this.#onLanded();
  }

  #land(env: Env, event: Outgoing, at: number, probe: boolean, { retryAfterMs, ...sent }: Sent): void {
    const now = Date.now();
    const endpoint = this.#row.load();
    if (!endpoint || endpoint.deleted) return;
    const schedule = settings(env).WEBHOOK_SCHEDULE_MS;
    const outcome = outcomeOf(event, { ...sent, retryAfterMs }, probe, schedule, now);
    this.#storage.transactionSync(() => {
      this.#outbox.end(event, outcome, { at, probe, ...sent });
      if (sent.error === null && isOpen(endpoint.health)) this.#outbox.release(now);
      this.#row.save(revised(endpoint, judged(env, endpoint, { ...sent, retryAfterMs }, probe, now), now));
    });
  }
}

function outcomeOf(
  { tries }: Outgoing,
  { error, retryAfterMs }: Sent,
  probe: boolean,
  schedule: readonly number[],
  now: number,
): Outcome {
  if (error === null) return { state: 'delivered', tries: tries + 1, due_at: null };
  if (probe || error === 'gone') return { state: 'pending', tries, due_at: now };
  const due = nextAttempt(schedule, tries + 1, now);
  if (due === null) return { state: 'failed', tries: tries + 1, due_at: null };
  return { state: 'pending', tries: tries + 1, due_at: Math.max(due, now + retryAfterMs) };
}

function judged(env: Env, endpoint: Endpoint, sent: Sent, probe: boolean, now: number): Endpoint {
  if (sent.error === null) return { ...endpoint, health: HEALTHY };
  const { WEBHOOK_SCHEDULE_MS: schedule, WEBHOOK_GIVE_UP_MS: giveUpMs } = settings(env);
  const what = sent.status === null ? sent.error : `HTTP ${sent.status}`;
  const health = afterFailure(endpoint.health, { at: now, what, probe, retryAfterMs: sent.retryAfterMs }, schedule);
  const disabled = (code: TroubleCode, message: string): Endpoint => ({
    ...endpoint,
    health,
    disabled: endpoint.disabled ?? { code, message, at: now },
  });
  if (sent.error === 'gone') return disabled('gone', 'The receiver answered 410 Gone: it wants no more events.');
  if (isOpen(health) && now - (health.failing_since ?? now) >= giveUpMs) {
    const hours = Math.round(giveUpMs / HOUR_MS);
    const message = `Every delivery failed for ${hours} hours, the last one with: ${what}. Mend the receiver, then enable the endpoint.`;
    return disabled('gave_up', message);
  }
  return { ...endpoint, health };
}
