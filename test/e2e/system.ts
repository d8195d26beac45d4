/** The real system, as small as it gets: the Worker in workerd, and transcoder processes that pull from it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTestHarness, type WorkerHandle } from 'wrangler';
import { Accepted } from '../../src/contract/api.ts';
import { Job } from '../../src/contract/job.ts';

/** What tests use of the Worker's bindings, from outside. */
interface Bindings {
  INPUT: { list(): Promise<{ objects: { key: string }[] }> };
  JOB: { getByName(id: string): { watching: Promise<{ watchers: number; isTicking: boolean }> } };
  UPLOAD: {
    idFromString(id: string): unknown;
    get(id: unknown): { addPart(part: { partNumber: number; etag: string }, size: number): Promise<boolean> };
  };
}

export const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'transcoder-node/main.ts');

export class System {
  readonly url: string;
  readonly worker: WorkerHandle;
  readonly #harness: ReturnType<typeof createTestHarness>;
  readonly #transcoders: Transcoder[] = [];

  private constructor(url: string, harness: ReturnType<typeof createTestHarness>) {
    this.url = url;
    this.worker = harness.getWorker('reelwire');
    this.#harness = harness;
  }

  static async start(vars: Record<string, string> = {}): Promise<System> {
    const harness = createTestHarness({
      root: ROOT,
      workers: [{ configPath: 'wrangler.toml', vars: { REELWIRE_OPEN: '1', ...vars } }],
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
  }

  /** The edge loses its memory, and every open connection with it; what is stored stays. */
  restart(): Promise<void> {
    return this.#harness.update((options) => options);
  }

  /** What the edge has logged as warnings and errors; not what workerd notes when an alarm is set while it fires. */
  complaints(): string[] {
    const lines = this.#harness.getLogs().filter(({ level }) => level === 'warn' || level === 'error');
    return lines.map(({ message }) => message).filter((message) => !message.startsWith('NOSENTRY SQLite alarm'));
  }

  async submit(video: Uint8Array<ArrayBuffer>, key = 'clip.mp4'): Promise<string> {
    const form = new FormData();
    form.append('video', new File([video], key, { type: 'video/mp4' }));
    form.append('key', key);
    const answer = await fetch(`${this.url}/process`, { method: 'POST', body: form });
    return Accepted.parse(await answer.json()).job_id;
  }

  async bindings(): Promise<Bindings> {
    return this.worker.getEnv() as Promise<Bindings>;
  }

  async job(id: string): Promise<Job> {
    return Job.parse(await (await fetch(`${this.url}/jobs/${id}`)).json());
  }

  output(id: string, path: string): Promise<Response> {
    return fetch(`${this.url}/jobs/${id}/outputs/${path}`);
  }
}

export class Transcoder {
  readonly process: ChildProcess;
  readonly #folder: string;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #exited: Promise<unknown>;

  private constructor(process: ChildProcess, folder: string) {
    this.process = process;
    this.#folder = folder;
    this.#exited = once(process, 'exit');
    if (!process.stderr) throw new Error('The transcoder has no stderr');
    createInterface({ input: process.stderr }).on('line', (line) => {
      this.#lines.push(line);
      for (const look of this.#waiting) look();
    });
  }

  static async start(edge: string): Promise<Transcoder> {
    const folder = await mkdtemp(join(tmpdir(), 'reelwire-e2e-'));
    const child = spawn(globalThis.process.execPath, [MAIN, '--edge', edge], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { PATH: globalThis.process.env.PATH, WORK_DIR: folder },
    });
    const transcoder = new Transcoder(child, folder);
    await transcoder.logged('"msg":"ready"');
    return transcoder;
  }

  /** Resolves when a line of its log contains `text`. */
  async logged(text: string): Promise<void> {
    const isLogged = () => this.#lines.some((line) => line.includes(text));
    if (isLogged()) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!isLogged()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async stop(): Promise<void> {
    this.process.kill('SIGCONT');
    this.process.kill('SIGTERM');
    await this.#exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
