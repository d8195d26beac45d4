/**
 * The uploads of this browser. Each is sent by one tab: the one that holds its lock. Another tab waits for the lock, so
 * that when the first is closed or reloaded, the upload goes on wherever a tab is left.
 */
import { useSyncExternalStore } from 'react';
import { list } from './list.ts';
import { Store, useStore } from './store.ts';
import { Upload, type UploadView } from './upload.ts';
import { forget, type KeptUpload, keep, keptUpload, keptUploads } from './upload-files.ts';

class Uploads {
  /** Newest first. */
  readonly all = new Store<readonly Upload[]>([]);

  /** Goes on with what an earlier page has left. */
  async restore(): Promise<void> {
    for (const { id } of await keptUploads()) {
      void whileOwned(id, async () => {
        const kept = await keptUpload(id);
        return kept && this.#add(kept);
      });
    }
  }

  /** A file that an upload has lost goes on with that; any other is a new upload. */
  start(files: Iterable<File>): void {
    for (const file of files) {
      if (this.all.get().some((upload) => upload.view.get().state === 'lost' && upload.give(file))) continue;
      const id = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
      const kept: KeptUpload = { id, name: file.name, size: file.size, file, jobId: null, isPaused: false };
      void keep(kept);
      void whileOwned(id, async () => this.#add(kept));
    }
  }

  /** Takes a row away; what it stood for is over. */
  drop(upload: Upload): void {
    this.all.set(this.all.get().filter((one) => one !== upload));
    void forget(upload.view.get().id);
  }

  async cancel(upload: Upload): Promise<void> {
    await upload.cancel();
    this.drop(upload);
    void list.read();
  }

  /** Resolves when its row is taken away. */
  #add(kept: KeptUpload): Promise<void> {
    const upload = new Upload(kept);
    this.all.set([upload, ...this.all.get()]);
    return new Promise((resolve) => {
      let jobId = kept.jobId;
      upload.view.subscribe(() => {
        const view = upload.view.get();
        if (view.jobId !== jobId) void list.read();
        jobId = view.jobId;
        if (view.state === 'done') this.drop(upload);
      });
      const stop = this.all.subscribe(() => {
        if (this.all.get().includes(upload)) return;
        stop();
        resolve();
      });
    });
  }
}

/** Pages that did not come over a secure connection have no locks: there each tab sends what it has begun. */
async function whileOwned(id: string, work: () => Promise<unknown>): Promise<void> {
  const { locks } = navigator as { locks?: LockManager };
  if (locks) await locks.request(`reelwire-upload-${id}`, work);
  else await work();
}

export const uploads = new Uploads();

/** How far all uploads together are, in percent; null when nothing is being sent. */
export function useUploadPercent(): number | null {
  const all = useStore(uploads.all);
  return useSyncExternalStore(
    (tell) => {
      const stops = all.map((upload) => upload.view.subscribe(tell));
      return () => {
        for (const stop of stops) stop();
      };
    },
    () => {
      const views = all.map((upload) => upload.view.get()).filter(({ state }) => state === 'sending');
      const sum = (part: (view: UploadView) => number) => views.reduce((total, view) => total + part(view), 0);
      return views.length === 0
        ? null
        : Math.floor(
            (100 * sum(({ sent }) => sent)) /
              Math.max(
                1,
                sum(({ size }) => size),
              ),
          );
    },
  );
}

/** The upload of this browser that makes this job, if there is one. */
export function useUploadOf(jobId: string): Upload | null {
  return useStore(uploads.all).find((upload) => upload.view.get().jobId === jobId) ?? null;
}
