/**
 * The files of uploads that are not finished, in IndexedDB, so that an upload goes on by itself after a reload. A
 * browser may refuse to keep a file (it is too large, or the window is a private one): then only what it was is kept.
 */
export interface KeptUpload {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  /** Null when the browser would not keep it. */
  readonly file: File | null;
  readonly jobId: string | null;
  readonly isPaused: boolean;
}

const DATABASE = 'reelwire';
const UPLOADS = 'uploads';

let opened: Promise<IDBDatabase | null> | null = null;

function database(): Promise<IDBDatabase | null> {
  opened ??= new Promise((resolve) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(UPLOADS, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
  return opened;
}

/** Null when the browser refuses. */
async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
  const db = await database().catch(() => null);
  if (!db) return null;
  return new Promise((resolve) => {
    try {
      const transaction = db.transaction(UPLOADS, mode);
      const request = act(transaction.objectStore(UPLOADS));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

export async function keep(upload: KeptUpload): Promise<void> {
  const isKept = await inStore('readwrite', (store) => store.put(upload));
  if (isKept === null && upload.file) await inStore('readwrite', (store) => store.put({ ...upload, file: null }));
}

export async function forget(id: string): Promise<void> {
  await inStore('readwrite', (store) => store.delete(id));
}

export async function keptUploads(): Promise<KeptUpload[]> {
  return (await inStore<KeptUpload[]>('readonly', (store) => store.getAll())) ?? [];
}

export async function keptUpload(id: string): Promise<KeptUpload | null> {
  return (await inStore<KeptUpload | undefined>('readonly', (store) => store.get(id))) ?? null;
}
