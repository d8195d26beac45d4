/** A whole transcoder inside the test process, on a work folder of its own, and a look at what it leaves behind. */
import { readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { readConfig } from '../../transcoder-node/config.ts';
import { Dispatcher } from '../../transcoder-node/dispatcher.ts';
import { EdgeClient } from '../../transcoder-node/edge/client.ts';
import { Fleet } from '../../transcoder-node/edge/fleet.ts';
import { Queue } from '../../transcoder-node/edge/queue.ts';
import { ShuttingDown } from '../../transcoder-node/errors.ts';
import { STALL_MS } from '../../transcoder-node/limits.ts';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';
import { runTask } from '../../transcoder-node/task/task.ts';

export interface Settings {
  readonly slots?: number;
  readonly libvmaf?: boolean;
  readonly vmafFloor?: number;
  readonly stallMs?: number;
  /** It ends when nothing is left to do. */
  readonly once?: boolean;
  readonly log?: Logger;
}

export class Harness {
  readonly folder: string;
  /** Resolves at its end, with how much went wrong. */
  readonly failures: Promise<number>;
  readonly #shutdown = new AbortController();

  private constructor(folder: string, url: string, binaries: Binaries, settings: Settings) {
    this.folder = folder;
    const { slots = 1, libvmaf = true, vmafFloor = 0, stallMs = STALL_MS, once = false } = settings;
    const log = settings.log ?? pino({ level: process.env.TEST_LOG ?? 'silent' });
    const config = readConfig(['--edge', url], {});
    const edge = new EdgeClient(config.edge, config.token);
    const fleet = new Fleet(edge, { transcoder: 'test', slots }, log);
    const parts = { binaries, libvmaf, workFolder: folder, settings: { vmafFloor, stallMs } };
    const dispatcher = new Dispatcher({
      ...{ edge, fleet, log, slots, once },
      name: 'test',
      queue: new Queue(config.queue),
      runTask: (lease, taskLog) => runTask(parts, lease, taskLog),
    });
    const ended = dispatcher.run(this.#shutdown.signal).finally(() => fleet.goodbye());
    this.failures = ended.then(() => dispatcher.failures);
  }

  static async start(url: string, binaries: Binaries, settings: Settings = {}): Promise<Harness> {
    return new Harness(await mkdtemp(join(tmpdir(), 'reelwire-test-')), url, binaries, settings);
  }

  async stop(): Promise<void> {
    this.#shutdown.abort(new ShuttingDown('the test is over'));
    await this.failures;
    await rm(this.folder, { recursive: true, force: true });
  }

  folders(): Promise<string[]> {
    return readdir(this.folder);
  }

  tools(): Promise<Tool[]> {
    return toolsIn(this.folder);
  }
}

export interface Tool {
  readonly pid: number;
  readonly exe: string;
  /** Where it runs: a pair's folder is `first` or `rest`. */
  readonly cwd: string;
}

/** The processes that work below a folder, as the kernel sees them (Linux). */
export async function toolsIn(folder: string): Promise<Tool[]> {
  const found: Tool[] = [];
  for (const name of await readdir('/proc')) {
    const cwd = /^\d+$/.test(name) ? linkOf(name, 'cwd') : '';
    if (cwd.startsWith(folder)) found.push({ pid: Number(name), exe: linkOf(name, 'exe'), cwd });
  }
  return found;
}

/** Empty when the process has gone, or is not ours to look at. */
function linkOf(pid: string, link: 'cwd' | 'exe'): string {
  try {
    return readlinkSync(`/proc/${pid}/${link}`);
  } catch {
    return '';
  }
}

/** Looks again at short intervals until it is so; the test's own time limit is the end. */
export async function eventually(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 50));
}
