/** The rules of webhooks that need no network: signatures, ids, the schedule, the breaker, Retry-After. */
import { describe, expect, test } from 'vitest';
import { WebhookId } from '../../src/contract/ids.ts';
import { EventId, WebhookUrl } from '../../src/contract/webhooks.ts';
import { settings } from '../../src/durable/env.ts';
import { eventId, implicitId, randomEventId } from '../../src/durable/webhook/ids.ts';
import {
  afterFailure,
  type Failure,
  HEALTHY,
  isOpen,
  nextAttempt,
  retryAfterMs,
} from '../../src/durable/webhook/pace.ts';
import { newSecret, signatures } from '../../src/durable/webhook/sign.ts';
import { env } from './edge.ts';

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a signature', () => {
  /** From the test suite of Standard Webhooks. */
  const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  const sign = (secrets: string[], body = '{"test": 2432232314}') =>
    signatures(secrets, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, body);

  test('is the one that the standard has published', async () => {
    expect(await sign([SECRET])).toBe(SIGNATURE);
    expect(await sign([SECRET], '{"test": 2432232315}')).not.toBe(SIGNATURE);
  });

  test('is made for each secret, the current one first', async () => {
    const other = newSecret();
    expect(await sign([other, SECRET])).toBe(`${await sign([other])} ${SIGNATURE}`);
  });
});

test('ids are made of what they stand for, and only of that', () => {
  const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
  expect(eventId(one, two, 3)).toBe(eventId(one, two, 3));
  const all = [eventId(one, two, 3), eventId(one, two, 4), eventId(two, one, 3), eventId(one, one, 3), randomEventId()];
  expect(new Set(all).size).toBe(all.length);
  for (const id of all) expect(EventId.parse(id)).toBe(id);
  const url = WebhookUrl.parse('https://hooks.example.com/');
  const implicit = [implicitId(null, url), implicitId('key', url), implicitId(null, `${url}x`)];
  expect(new Set(implicit).size).toBe(3);
  for (const id of implicit) expect(WebhookId.parse(id)).toBe(id);
  expect(implicitId('key', url)).toBe(implicit[1]);
});

test('an event is tried nine times within two days, each time a little later than the schedule says', () => {
  const schedule = settings(env).WEBHOOK_SCHEDULE_MS;
  const expected = [0, 5000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 12 * HOUR, 12 * HOUR];
  expect(schedule).toEqual(expected);
  for (const [tries, wait] of expected.entries()) {
    const times = Array.from({ length: 50 }, () => (nextAttempt(schedule, tries, NOW) ?? 0) - NOW);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(wait);
    expect(Math.max(...times)).toBeLessThanOrEqual(wait * 1.2);
    if (wait > 0) expect(new Set(times).size).toBeGreaterThan(1);
  }
  expect(nextAttempt(schedule, 9, NOW)).toBeNull();
});

describe('the breaker', () => {
  const SCHEDULE = settings(env).WEBHOOK_SCHEDULE_MS;
  const fail = (health: typeof HEALTHY, at: number, more: Partial<Failure> = {}) =>
    afterFailure(health, { at, what: 'HTTP 500', probe: false, retryAfterMs: 0, ...more }, SCHEDULE);

  test('opens with the fifth failure in a row, and then pauses grow up to a quarter of an hour', () => {
    let health = HEALTHY;
    for (let n = 1; n <= 4; n++) {
      health = fail(health, NOW + n);
      expect([isOpen(health), health.quiet_until <= NOW + n]).toEqual([false, true]);
    }
    health = fail(health, NOW + 5);
    expect([isOpen(health), health.failing_since]).toEqual([true, NOW + 1]);
    const pauses = [health.quiet_until - (NOW + 5)];
    for (let n = 0; n < 4; n++) {
      const at = health.quiet_until;
      health = fail(health, at, { probe: true });
      pauses.push(health.quiet_until - at);
    }
    const least = [5000, 5 * MINUTE, 15 * MINUTE, 15 * MINUTE, 15 * MINUTE];
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(least[i] ?? 0);
      expect(pause).toBeLessThanOrEqual((least[i] ?? 0) * 1.2);
    }
    expect(health.failing_since).toBe(NOW + 1);
  });

  test('is not put off by failures of what was on its way when it opened', () => {
    let health = HEALTHY;
    for (let n = 0; n < 5; n++) health = fail(health, NOW);
    const late = fail(health, NOW + 1000);
    expect([late.quiet_until, late.probes]).toEqual([health.quiet_until, 0]);
  });

  test('gives the receiver the time it asks for, open or not', () => {
    expect(fail(HEALTHY, NOW, { retryAfterMs: 7000 }).quiet_until).toBe(NOW + 7000);
    let health = HEALTHY;
    for (let n = 0; n < 4; n++) health = fail(health, NOW);
    expect(fail(health, NOW, { retryAfterMs: HOUR }).quiet_until).toBe(NOW + HOUR);
    const asked = fail(HEALTHY, NOW, { retryAfterMs: HOUR });
    expect(fail(asked, NOW + 1).quiet_until).toBe(NOW + HOUR);
  });

  test('pauses even if the schedule knows no pause', () => {
    let health = HEALTHY;
    const failure = { at: NOW, what: 'timeout', probe: false, retryAfterMs: 0 };
    for (let n = 0; n < 5; n++) health = afterFailure(health, failure, [0]);
    expect(health.quiet_until).toBeGreaterThan(NOW);
  });
});

test.each<[string | null, number]>([
  [null, 0],
  ['', 0],
  ['soon', 0],
  ['-5', 0],
  ['1.5', 0],
  ['0', 0],
  ['120', 120_000],
  [' 120 ', 120_000],
  ['3600', HOUR],
  ['3601', HOUR],
  ['9'.repeat(400), HOUR],
  [new Date(NOW + 30_000).toUTCString(), 30_000],
  [new Date(NOW - 30_000).toUTCString(), 0],
  [new Date(NOW + 10 * HOUR).toUTCString(), HOUR],
])('Retry-After: %s is %i ms', (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected);
});
