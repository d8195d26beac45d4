/**
 * One upload of this page: sent by the SDK, which goes on by itself after whatever cuts it off. Pause stops sending and
 * resume goes on where it was; cancel takes back what has arrived. Its speed is that of the last seconds.
 */
import { ApiError, UploadError } from '../../../client/index.ts';
import { client } from './client.ts';
import { jobs } from './jobs.ts';
import { session } from './session.ts';
import { Store } from './store.ts';
import { forget, type KeptUpload, keep } from './upload-files.ts';

/** `lost`: the file has to be chosen again. `refused`: it will never be taken. */
export type UploadState = 'sending' | 'paused' | 'lost' | 'refused' | 'done';

export interface UploadView {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly state: UploadState;
  readonly sent: number;
  /** Bytes a second; null while that is not known. */
  readonly speed: number | null;
  readonly jobId: string | null;
  /** What went wrong, and what to do. */
  readonly problem: string | null;
}

const SPEED_OVER_MS = 5000;

/** How often progress is shown. */
const SHOWN_EVERY_MS = 200;

export class Upload {
  readonly view: Store<UploadView>;
  #file: File | null;
  #sending: AbortController | null = null;
  #samples: { at: number; sent: number }[] = [];
  #shownAt = 0;

  constructor({ id, name, size, file, jobId, isPaused }: KeptUpload) {
    const state = !file ? 'lost' : isPaused ? 'paused' : 'sending';
    const problem = file
      ? null
      : 'This browser did not keep the file. Choose it again, and the upload goes on where it was.';
    this.view = new Store<UploadView>({ id, name, size, jobId, state, sent: 0, speed: null, problem });
    this.#file = file;
    if (state === 'sending') void this.#send();
  }

  pause(): void {
    this.#stop();
    this.view.change({ state: 'paused', speed: null });
    this.#keep();
  }

  resume(): void {
    if (!this.#file) return;
    this.view.change({ state: 'sending', problem: null });
    this.#keep();
    void this.#send();
  }

  /** The same file, chosen again. False if it is another one. */
  give(file: File): boolean {
    const { name, size } = this.view.get();
    if (file.name !== name || file.size !== size) return false;
    this.#file = file;
    this.resume();
    return true;
  }

  /** Nothing of it stays. Rejects when the server refuses or does not answer: then it is paused. */
  async cancel(): Promise<void> {
    const { id, jobId, state } = this.view.get();
    if (state === 'sending') this.pause();
    if (jobId !== null) {
      await remove(jobId);
      jobs.removed(jobId);
    }
    await forget(id);
  }

  #stop(): void {
    this.#sending?.abort();
    this.#sending = null;
  }

  #keep(): void {
    const { id, name, size, jobId, state } = this.view.get();
    void keep({ id, name, size, jobId, file: this.#file, isPaused: state === 'paused' });
  }

  async #send(): Promise<void> {
    const file = this.#file;
    if (!file) return;
    this.#stop();
    const sending = new AbortController();
    this.#sending = sending;
    this.#samples = [];
    try {
      await client.upload(file, {
        signal: sending.signal,
        onCreated: (jobId) => {
          this.view.change({ jobId });
          this.#keep();
        },
        onProgress: ({ sent }) => this.#show(sent),
      });
      await forget(this.view.get().id);
      this.view.change({ state: 'done', sent: file.size, speed: null });
    } catch (error) {
      if (sending.signal.aborted) return;
      await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    const isUnreadable = error instanceof UploadError && error.code === 'unreadable';
    if (isUnreadable) {
      this.#file = null;
      this.view.change({ state: 'lost', speed: null, problem: 'The file cannot be read any more. Choose it again.' });
      return;
    }
    if (error instanceof ApiError && error.status === 401) {
      this.pause();
      session.change({ role: null });
      return;
    }
    await forget(this.view.get().id);
    const problem = error instanceof ApiError ? error.detail : 'The upload failed. Try it again.';
    this.view.change({ state: 'refused', speed: null, problem });
  }

  #show(sent: number): void {
    const now = Date.now();
    this.#samples.push({ at: now, sent });
    if (now - this.#shownAt < SHOWN_EVERY_MS) return;
    this.#shownAt = now;
    this.#samples = this.#samples.filter(({ at }) => now - at <= SPEED_OVER_MS);
    const first = this.#samples[0];
    const seconds = first ? (now - first.at) / 1000 : 0;
    const speed = first && seconds > 0.5 ? Math.max(0, sent - first.sent) / seconds : null;
    this.view.change({ sent, speed });
  }
}

/** Deleting takes an admin key; whoever has begun an upload may at least end it. */
async function remove(jobId: string): Promise<void> {
  try {
    await client.jobs.delete(jobId);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 403) await client.jobs.cancel(jobId);
    else if (error.status !== 404) throw error;
  }
}
