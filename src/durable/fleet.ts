/**
 * The registry of live transcoders: who said lately that it is there. It informs `/health` and people; nothing
 * depends on it, and after a loss the next announcements rebuild it. That is why it may live on itty-durable, which
 * writes its whole state on every call and runs any method its `fetch` is asked for: only the two calls below reach
 * it, built here, never from a client's URL.
 */
import { createDurable, proxyDurable } from 'itty-durable';
import { z } from 'zod';
import { Announcement, BELIEVE_MS } from '../contract/transcoder.ts';
import type { Env } from './env.ts';

const Seen = Announcement.extend({ busy: z.int(), seen_at: z.int() });
type Seen = z.infer<typeof Seen>;

export class Fleet extends createDurable({ autoReturn: false, autoPersist: true }) {
  transcoders: Record<string, Seen> = {};

  announce({ transcoder, ...load }: Announcement, now: number): void {
    const others = Object.entries(this.transcoders).filter(
      ([name, { seen_at }]) => name !== transcoder && now - seen_at < BELIEVE_MS,
    );
    this.transcoders = Object.fromEntries(others);
    if (load.busy !== null) this.transcoders[transcoder] = { transcoder, ...load, busy: load.busy, seen_at: now };
  }

  online(now: number): Seen[] {
    return Object.values(this.transcoders).filter(({ seen_at }) => now - seen_at < BELIEVE_MS);
  }
}

interface FleetCalls {
  announce(announcement: Announcement, now: number): Promise<unknown>;
  online(now: number): Promise<unknown>;
}

/** The one registry. */
const registry = (env: Env): FleetCalls =>
  proxyDurable(env.FLEET, { name: 'FLEET', class: Fleet, parse: true }).get('fleet');

export async function announce(env: Env, announcement: Announcement): Promise<void> {
  await registry(env).announce(announcement, Date.now());
}

/** How many transcoders are there, how many tasks they run, and how many they could run. */
export async function fleetSize(env: Env): Promise<{ online: number; busy: number; slots: number }> {
  const online = z.array(Seen).parse(await registry(env).online(Date.now()));
  const sum = (key: 'busy' | 'slots') => online.reduce((total, one) => total + one[key], 0);
  return { online: online.length, busy: sum('busy'), slots: sum('slots') };
}
