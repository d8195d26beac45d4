/**
 * The Internet as the Worker finds it in tests of webhooks: a resolver, and receivers that answer as they are told. And
 * an endpoint's object whose clock is in the tests' hands: what has a time is made due by setting it back.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, vi } from 'vitest';
import { DeliveriesPage, type Delivery, Webhook, type WebhookWithSecret } from '../../src/contract/webhooks.ts';
import type { Resolve } from '../../src/durable/url-guard.ts';
import { resolve } from '../unit/addresses.ts';
import { call, env, post } from './edge.ts';

/** A request that reached a receiver. */
export interface Arrived {
  url: string;
  headers: Headers;
  body: string;
}

/** What reached receivers in this test; not what endpoints of an earlier one still send. */
export const arrived: Arrived[] = [];
let tests = 0;

type Answer = (request: Arrived) => Response | Promise<Response>;
const usual = (): Response => new Response(null, { status: 204 });

/** What names resolve to, and what receivers answer, until the test is over. */
export const internet: { resolve: Resolve; answer: Answer } = { resolve, answer: usual };

const RECORD = { A: 1, AAAA: 28 } as const;

async function dns(url: URL): Promise<Response> {
  const type = url.searchParams.get('type') === 'A' ? 'A' : 'AAAA';
  const addresses = await internet.resolve(url.searchParams.get('name') ?? '', AbortSignal.timeout(1000));
  const data = addresses.filter((address) => address.includes(':') === (type === 'AAAA'));
  return Response.json({ Status: 0, TC: false, Answer: data.map((one) => ({ type: RECORD[type], data: one })) });
}

/** Until the file ends, the Worker finds this Internet and no other; each test begins with the usual one. */
export function provideInternet(): void {
  beforeEach(() => {
    arrived.length = 0;
    tests += 1;
    internet.resolve = resolve;
    internet.answer = usual;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      const url = new URL(request.url);
      if (url.hostname === 'cloudflare-dns.com') return dns(url);
      const ofTest = /^\/x\/(\d+)$/.exec(url.pathname)?.[1];
      if (ofTest !== undefined && Number(ofTest) !== tests) return usual();
      const one = { url: url.href, headers: request.headers, body: await request.text() };
      arrived.push(one);
      return internet.answer(one);
    });
  });
}

export const HOOK = 'https://hooks.example.com/x';

/** An endpoint at an address of this test. */
export async function makeWebhook(more: object = {}): Promise<WebhookWithSecret> {
  return (await post('/webhooks', { url: `${HOOK}/${tests}`, ...more })).json();
}

export const webhook = async (id: string): Promise<Webhook> =>
  Webhook.parse(await (await call(`/webhooks/${id}`)).json());

export async function deliveries(id: string): Promise<Delivery[]> {
  return DeliveriesPage.parse(await (await call(`/webhooks/${id}/deliveries?limit=100`)).json()).deliveries;
}

export async function sendTest(id: string): Promise<string> {
  return (await (await post(`/webhooks/${id}/test`, {})).json<Delivery>()).event_id;
}

const object = (id: string) => env.WEBHOOK.getByName(id);

/** Runs statements in the endpoint's storage, then its alarm. */
export async function afterwards(id: string, ...statements: string[]): Promise<void> {
  await runInDurableObject(object(id), async (_, { storage }) => {
    for (const statement of statements) storage.sql.exec(statement);
    await storage.setAlarm(Date.now() + 3_600_000);
  });
  await runDurableObjectAlarm(object(id));
}

/** Everything that waits for its time has waited long enough. */
export const timePasses = (id: string): Promise<void> =>
  afterwards(
    id,
    `UPDATE events SET due_at = 0 WHERE state = 'pending'`,
    `UPDATE endpoint SET data = json_set(data, '$.health.quiet_until', 0)`,
  );

/** When the event that waits is due, in seconds from now; the time for which all have to wait; the alarm. */
export function waits(id: string): Promise<{ event: number; all: number; alarm: number }> {
  return runInDurableObject(object(id), async (_, { storage }) => {
    const until = (at: number | null): number => ((at ?? 0) - Date.now()) / 1000;
    const { due } = storage.sql
      .exec<{ due: number | null }>(`SELECT min(due_at) AS due FROM events WHERE state = 'pending'`)
      .one();
    const { quiet } = storage.sql
      .exec<{ quiet: number }>(`SELECT data ->> '$.health.quiet_until' AS quiet FROM endpoint`)
      .one();
    return { event: until(due), all: until(quiet), alarm: until(await storage.getAlarm()) };
  });
}

/** What an endpoint's object has stored: its tables, and whether there is an alarm. */
export function stored(id: string): Promise<{ tables: string[]; alarm: boolean }> {
  return runInDurableObject(object(id), async (_, { storage }) => {
    const rows = storage.sql.exec<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name`,
    );
    return { tables: rows.toArray().map(({ name }) => name), alarm: (await storage.getAlarm()) !== null };
  });
}

/** Has bindings of the endpoint's object replaced by others. */
export async function withWebhookBindings(id: string, bindings: Record<string, unknown>): Promise<void> {
  await runInDurableObject(object(id), (instance) => {
    Object.defineProperty(instance, 'env', { value: { ...env, ...bindings }, configurable: true });
  });
}
