/** The real system, as small as it gets: the Worker in workerd, and transcoder processes that pull from it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTestHarness, type TestHarnessOptions, type WorkerHandle } from 'wrangler';
import { z } from 'zod';
import { Accepted } from '../../src/contract/api.ts';
import { Entry } from '../../src/contract/entries.ts';
import { Job, type JobOptions } from '../../src/contract/job.ts';

/** What tests use of the Worker's bindings, from outside. */
interface Bindings {
  INPUT: Bucket;
  OUTPUT: Bucket;
  JOB: { getByName(id: string): { watching: Promise<{ watchers: number; isTicking: boolean }> } };
  UPLOAD: {
    idFromString(id: string): unknown;
    get(id: unknown): { addPart(part: { partNumber: number; etag: string }, size: number): Promise<boolean> };
  };
}

interface Bucket {
  list(options?: { prefix: string }): Promise<{ objects: { key: string; size: number }[] }>;
  head(key: string): Promise<{ size: number; etag: string } | null>;
  put(key: string, text: string): Promise<unknown>;
  delete(key: string): Promise<void>;
}

/** A row of a job's log as the object stores it. */
const StoredEntry = z
  .object({
    seq: z.int(),
    type: z.string(),
    at: z.int(),
    data: z.string().transform((text): unknown => JSON.parse(text)),
  })
  .pipe(Entry);

export const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'transcoder-node/main.ts');

/** Else wrangler gives every edge two Workers of its own, for people who look into it. */
Object.assign(process.env, { X_LOCAL_EXPLORER: 'false', X_LOCAL_OBSERVABILITY: 'false' });

type WorkerInput = TestHarnessOptions['workers'][number];
const LAST_LINES = 30;

export class System {
  readonly url: string;
  readonly worker: WorkerHandle;
  readonly #harness: ReturnType<typeof createTestHarness>;
  readonly #transcoders: Transcoder[] = [];
  readonly #afterwards: (() => unknown)[] = [];

  private constructor(url: string, harness: ReturnType<typeof createTestHarness>) {
    this.url = url;
    this.worker = harness.getWorker('reelwire');
    this.#harness = harness;
  }

  static async start(vars: Record<string, string> = {}, configPath = 'wrangler.toml'): Promise<System> {
    const harness = createTestHarness({
      root: ROOT,
      workers: [{ configPath, vars: { REELWIRE_OPEN: '1', ...vars } }],
    });
    const { url } = await harness.listen();
    return new System(`http://localhost:${url.port}`, harness);
  }

  /** Resolves when the transcoder is ready. */
  async transcoder(): Promise<Transcoder> {
    const transcoder = await Transcoder.start(this.url);
    this.#transcoders.push(transcoder);
    return transcoder;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#transcoders.map((transcoder) => transcoder.stop()));
    await this.#harness.close();
    for (const act of this.#afterwards) await act();
  }

  /** Calls `act` when all has been stopped. */
  onStop(act: () => unknown): void {
    this.#afterwards.push(act);
  }

  /** The edge loses its memory, and every open connection with it; what is stored stays. `vars`: other settings. */
  restart(vars: Record<string, string> = {}): Promise<void> {
    const other = (worker: WorkerInput): WorkerInput =>
      'configPath' in worker ? { ...worker, vars: { ...worker.vars, ...vars } } : worker;
    return this.#harness.update((options) => ({ ...options, workers: options.workers.map(other) }));
  }

  /** Warnings and errors of the edge; not that it is open, nor what workerd notes when an alarm is set while it fires. */
  complaints(): string[] {
    const lines = this.#harness.getLogs().filter(({ level }) => level === 'warn' || level === 'error');
    return lines
      .map(({ message }) => message)
      .filter((message) => !/^(NOSENTRY SQLite alarm|\{"msg":"OPEN MODE)/.test(message));
  }

  async submit(video: Uint8Array<ArrayBuffer>, key = 'clip.mp4', options: Partial<JobOptions> = {}): Promise<string> {
    const form = new FormData();
    form.append('video', new File([video], key, { type: 'video/mp4' }));
    form.append('key', key);
    form.append('options', JSON.stringify(options));
    const answer = await fetch(`${this.url}/process`, { method: 'POST', body: form });
    return Accepted.parse(await answer.json()).job_id;
  }

  async bindings(): Promise<Bindings> {
    return this.worker.getEnv() as Promise<Bindings>;
  }

  async job(id: string): Promise<Job> {
    return Job.parse(await (await fetch(`${this.url}/jobs/${id}`)).json());
  }

  /** The job's whole log, internal entries too, as its object has it stored. */
  async storedLog(id: string): Promise<Entry[]> {
    const storage = await this.worker.getDurableObjectStorage('JOB', { name: id });
    return z.array(StoredEntry).parse(await storage.exec('SELECT seq, type, at, data FROM log ORDER BY seq'));
  }

  /** When the first of the job's timers is due; null when there is none. */
  async nextTimer(id: string): Promise<number | null> {
    const storage = await this.worker.getDurableObjectStorage('JOB', { name: id });
    const [row] = await storage.exec<{ due: number | null }>('SELECT min(due_at) AS due FROM timers');
    return row?.due ?? null;
  }

  output(id: string, path: string): Promise<Response> {
    return fetch(`${this.url}/jobs/${id}/outputs/${path}`);
  }
}

export class Transcoder {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly #ownFolder: string | null;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(process: ChildProcess, ownFolder: string | null) {
    this.process = process;
    this.exited = once(process, 'exit');
    this.#ownFolder = ownFolder;
    if (!process.stderr) throw new Error('The transcoder has no stderr');
    createInterface({ input: process.stderr }).on('line', (line) => {
      this.#lines.push(line);
      for (const look of this.#waiting) look();
    });
  }

  /** `workDir`: by default a folder of its own, which goes with it. */
  static async start(edge: string, workDir?: string): Promise<Transcoder> {
    const ownFolder = workDir === undefined ? await mkdtemp(join(tmpdir(), 'reelwire-e2e-')) : null;
    const { PATH, NODE_COMPILE_CACHE } = globalThis.process.env;
    const child = spawn(globalThis.process.execPath, [MAIN, '--edge', edge], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { PATH, NODE_COMPILE_CACHE, WORK_DIR: workDir ?? ownFolder ?? '' },
    });
    const transcoder = new Transcoder(child, ownFolder);
    await transcoder.logged('"msg":"ready"');
    return transcoder;
  }

  /** What it calls itself. */
  get name(): string {
    const ready = this.#lines.find((line) => line.includes('"msg":"ready"')) ?? '{}';
    return z.object({ transcoder: z.string() }).parse(JSON.parse(ready)).transcoder;
  }

  /** What it has logged. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves when a line of its log contains `text`; rejects when it ends without one. */
  async logged(text: string): Promise<void> {
    const isLogged = () => this.#lines.some((line) => line.includes(text));
    if (isLogged()) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!isLogged()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      this.process.once('close', () =>
        reject(new Error(`No ${text} in: ${this.#lines.slice(-LAST_LINES).join('\n')}`)),
      );
    });
  }

  async stop(): Promise<void> {
    this.process.kill('SIGCONT');
    this.process.kill('SIGTERM');
    await this.exited;
    if (this.#ownFolder !== null) await rm(this.#ownFolder, { recursive: true, force: true });
  }
}
