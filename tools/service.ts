/**
 * The service: one edge and its transcoders, owned by this process. It holds the lock of STATE_DIR from before the
 * first child starts until the last one is gone. Children that die are started again; `failed` settles when one will
 * not be. Should this process be killed, the children see their IPC channel close and end; what even that leaves (all
 * of us killed at once) is found by the next start through the lock, which names the edge's process group.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import * as children from './children.ts';
import { transcoderToken } from './dev-vars.ts';
import { commandsOf, endGroup } from './group.ts';
import { askHealth, whyClosed } from './health.ts';
import { Keeper, type Kept } from './keeper.ts';
import { acquire, type Holder, type Lock, LockHeld } from './lock.mjs';
import { Refusal } from './main.ts';
import { ROOT, stateLock } from './paths.mjs';
import { makeScratch, removeScratch, sweepScratch } from './scratch.mjs';
import type { Settings } from './settings.ts';
import { pause, until } from './until.ts';

const READY_WITHIN_MS = 60_000;
const WATCH_EVERY_MS = 2000;
const SILENT_FOR_MS = 20_000;
const PORT_FREED_WITHIN_MS = 1000;
const DEATHS_WHILE_STARTING = 1;

export interface ServiceOptions {
  /** Deaths in a row that are forgiven, per child, once the service is ready. */
  deathsAllowed: { edge: number; transcoder: number };
  say: (text: string) => void;
}

export class Service {
  readonly #settings: Settings;
  readonly #options: ServiceOptions;
  readonly #lock: Lock;
  readonly #stopping = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  readonly #transcoders: Keeper[] = [];
  #edge: Keeper | null = null;
  #scratch: string | null = null;
  #isReady = false;

  /** Takes STATE_DIR, or refuses. Nothing is started yet. */
  static async open(settings: Settings, options: ServiceOptions): Promise<Service> {
    const lock = lockState(settings);
    if (lock.predecessor !== null) await endLeftovers(lock.predecessor);
    sweepScratch();
    return new Service(settings, options, lock);
  }

  private constructor(settings: Settings, options: ServiceOptions, lock: Lock) {
    this.#settings = settings;
    this.#options = options;
    this.#lock = lock;
    this.#failure.promise.catch(() => {});
  }

  /** Rejects when the service cannot go on. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Resolves when the edge answers and every transcoder is online. The caller stops the service in any case. */
  async start(signal: AbortSignal): Promise<void> {
    await assertPortFree(this.#settings);
    await Promise.race([this.#startAll(signal), this.failed]);
    this.#isReady = true;
  }

  /** Ends everything: transcoders first, so that they can hand their work back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const ends = await Promise.allSettled(this.#transcoders.map((keeper) => keeper.stop()));
    ends.push(...(await Promise.allSettled([this.#edge?.stop()])));
    if (this.#scratch !== null) removeScratch(this.#scratch);
    this.#lock.release();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #startAll(signal: AbortSignal): Promise<void> {
    const { origin, transcoders } = this.#settings;
    const fixed = children.edge(this.#settings);
    const edge = this.#keep({ ...fixed, started: (group) => this.#lock.note({ edge: group }) }, 'edge');
    this.#edge = edge;
    await this.#ready(edge, signal, () => letsUsIn(origin));
    if (transcoders > 0) await assertTranscodersGetIn(origin);
    this.#watch(edge).catch((error: unknown) => this.#failure.reject(error));

    for (let number = 1; number <= transcoders; number++) {
      this.#transcoders.push(this.#keep(children.transcoder(this.#settings, number, this.#workDir()), 'transcoder'));
    }
    for (const keeper of this.#transcoders) await this.#ready(keeper, signal, () => saysReady(keeper));
    const online = async () => ((await askHealth(origin))?.transcoders.online ?? 0) >= transcoders;
    await this.#ready(this.#transcoders[0] ?? edge, signal, online);
  }

  #keep(fixed: Omit<Kept, 'deathsAllowed' | 'gaveUp' | 'say'>, kind: 'edge' | 'transcoder'): Keeper {
    const { deathsAllowed, say } = this.#options;
    const gaveUp = (reason: string, unusable: boolean) => {
      const why = unusable ? readFileSync(fixed.logFile, 'utf8').trimEnd() : endOfLog(fixed.logFile);
      this.#failure.reject(new Refusal(`${reason}\n${why}`, unusable ? 2 : 1));
    };
    const forgiven = () => (this.#isReady ? deathsAllowed[kind] : DEATHS_WHILE_STARTING);
    return new Keeper({ ...fixed, deathsAllowed: forgiven, gaveUp, say });
  }

  async #ready(keeper: Keeper, signal: AbortSignal, isReady: () => Promise<boolean> | boolean): Promise<void> {
    const both = AbortSignal.any([signal, this.#stopping.signal]);
    if (await until(isReady, { withinMs: READY_WITHIN_MS, signal: both })) return;
    throw new Refusal(`${keeper.name} is not ready after ${READY_WITHIN_MS / 1000} s.\n${endOfLog(keeper.logFile)}`);
  }

  /** wrangler goes on without answering when one of its two workerd processes is killed (4.135): it is replaced then. */
  async #watch(edge: Keeper): Promise<void> {
    let heard = performance.now();
    while (!this.#stopping.signal.aborted) {
      if ((await askHealth(this.#settings.origin)) !== null) heard = performance.now();
      if (performance.now() - heard > SILENT_FOR_MS) {
        await edge.kill();
        heard = performance.now();
      }
      await pause(WATCH_EVERY_MS, this.#stopping.signal).catch(() => {});
    }
  }

  #workDir(): string {
    if (this.#settings.workDir !== null) return this.#settings.workDir;
    this.#scratch ??= makeScratch('work');
    return this.#scratch;
  }
}

function lockState({ stateDir, address }: Settings): Lock {
  try {
    return acquire(stateLock(stateDir), { address });
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    const { pid, address: theirs } = error.holder;
    throw new Refusal(
      `A Reelwire (process ${pid}, ${String(theirs ?? 'starting')}) uses ${stateDir}. Use that one, stop it first, or start another beside it with its own PORT and STATE_DIR.`,
    );
  }
}

/** Only a group that still runs programs of this checkout is the one that the dead holder left. */
async function endLeftovers({ edge }: Holder): Promise<void> {
  if (typeof edge !== 'number' || edge <= 1) return;
  if (commandsOf(edge).some((command) => command.includes(ROOT))) await endGroup(edge, 0);
}

/** A process that was just killed may hold its port a little longer: its threads end one by one. */
async function assertPortFree({ host, port, origin, address }: Settings): Promise<void> {
  let problem: NodeJS.ErrnoException | null = null;
  const isFree = async () => {
    problem = await tryToListen(host, port);
    return problem?.code !== 'EADDRINUSE';
  };
  const free = await until(isFree, { withinMs: PORT_FREED_WITHIN_MS, everyMs: 100 });
  if (free !== undefined && problem !== null) throw new Refusal(cannotListen(host, port, problem), 2);
  if (free !== undefined) return;
  if (await askHealth(origin)) {
    throw new Refusal(`A Reelwire already answers at ${address}. Use that one, or choose another PORT and STATE_DIR.`);
  }
  throw new Refusal(`Port ${port} is used by another program. Choose another: PORT=${port + 1} and the same command.`);
}

function cannotListen(host: string, port: number, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRNOTAVAIL':
      return `${host} is no address of this machine. Set HOST to 127.0.0.1 (only this machine) or 0.0.0.0 (all).`;
    case 'EACCES':
      return `Port ${port} needs rights that this user does not have. Choose one from 1024 on: PORT=8787.`;
    default:
      return `Cannot listen on ${host} port ${port}: ${message}`;
  }
}

function tryToListen(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', resolve).listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Whether it answers; an edge that lets nobody in says why at once. */
async function letsUsIn(origin: string): Promise<boolean> {
  if ((await askHealth(origin)) !== null) return true;
  const refusal = await whyClosed(origin);
  if (refusal !== null) throw new Refusal(`The edge lets nobody in: ${refusal}`, 2);
  return false;
}

async function assertTranscodersGetIn(origin: string): Promise<void> {
  if ((await askHealth(origin))?.mode !== 'keys' || transcoderToken().TRANSCODER_TOKEN !== undefined) return;
  throw new Refusal('The edge lets no transcoder in. Set TRANSCODER_TOKEN too, in .dev.vars.local: docs/access.md.', 2);
}

const saysReady = (keeper: Keeper): boolean => readFileSync(keeper.logFile, 'utf8').includes('"msg":"ready"');

function endOfLog(path: string): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-20);
  return `The end of its log (${path}):\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
