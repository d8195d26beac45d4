/**
 * What the tests of whole commands share: a port and a STATE_DIR, of each test or of all in a block, and no process left
 * at the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { askHealth } from '../../tools/health.ts';
import { holderOf } from '../../tools/lock.mjs';
import { stateLock } from '../../tools/paths.mjs';
import { freePort, Running, tool } from './running.ts';

export class Commands {
  readonly #runs: Running[] = [];
  folder = '';
  port = 0;

  constructor(of: 'each' | 'all' = 'each') {
    const [before, after] = of === 'each' ? [beforeEach, afterEach] : [beforeAll, afterAll];
    before(async () => {
      this.folder = mkdtempSync(join(tmpdir(), 'tools-test-'));
      this.port = await freePort();
    });
    after(() => {
      for (const running of this.#runs.splice(0)) running.sweep();
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  run(name: string, args: string[] = [], env: Record<string, string> = {}): Running {
    return this.#add(new Running(null, [tool(name), ...args], { ...this.#environment(), ...env }));
  }

  npm(...args: string[]): Running {
    return this.#add(new Running('npm', args, this.#environment()));
  }

  /** `npm start` has said that it is there. */
  async ready(running: Running): Promise<void> {
    const line = `Reelwire is ready at http://localhost:${this.port}\n`;
    await running.until('ready', () => running.stdout.includes(line), 60_000);
  }

  async nothingIsLeft(running: Running): Promise<void> {
    await running.until('no process left', () => running.processes().length === 0, 10_000);
    expect(running.folders()).toEqual([]);
    expect(await askHealth(this.origin, 500)).toBeNull();
    expect(holderOf(stateLock(join(this.folder, 'state')))).toBeNull();
  }

  #add(running: Running): Running {
    this.#runs.push(running);
    return running;
  }

  #environment(): Record<string, string> {
    const tmp = mkdtempSync(join(this.folder, 'tmp-'));
    return { PORT: String(this.port), STATE_DIR: join(this.folder, 'state'), TMPDIR: tmp };
  }
}

export const edgeOf = (running: Running) => running.until('edge', () => running.find('wrangler/bin/wrangler.js'));

export const transcoderOf = (running: Running) =>
  running.until('transcoder', () => running.find('transcoder-node/main.ts'));
