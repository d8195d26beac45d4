/**
 * Where uploads that are not finished are remembered: under the fingerprint of what is uploaded, the address at which it
 * goes on. Files are told apart by name, type, size and date; what has no name and no date, by its size and samples of
 * its bytes.
 */

/** Keeps short texts. What was not kept begins anew. */
export interface UploadStore {
  get(fingerprint: string): Promise<string | null>;
  set(fingerprint: string, url: string): Promise<void>;
  delete(fingerprint: string): Promise<void>;
}

const PREFIX = 'reelwire-upload:';
const SAMPLES = 8;
const SAMPLE_BYTES = 64 * 1024;

/** `said`: all that makes another upload of the same file another job. Null when there is no way to tell files apart. */
export async function fingerprintOf(file: Blob, said: readonly unknown[]): Promise<string | null> {
  const marks = file instanceof File ? [file.name, file.lastModified] : await samplesOf(file);
  return marks && JSON.stringify([...said, file.size, file.type, ...marks]);
}

/** A digest, where the platform gives one: pages that came over plain HTTP from elsewhere have none. */
async function samplesOf(file: Blob): Promise<string[] | null> {
  const { subtle } = globalThis.crypto as { subtle?: typeof crypto.subtle };
  if (!subtle) return null;
  const step = Math.max(SAMPLE_BYTES, Math.floor((file.size - SAMPLE_BYTES) / (SAMPLES - 1)));
  const samples = Array.from({ length: SAMPLES }, (_, i) => file.slice(i * step, i * step + SAMPLE_BYTES));
  const digest = await subtle.digest('SHA-256', await new Blob(samples).arrayBuffer());
  return [new Uint8Array(digest).join()];
}

/** `localStorage` in browsers that let us have it; else the memory of this process. */
export function defaultUploadStore(): UploadStore {
  try {
    if ('document' in globalThis) return inWebStorage(globalThis.localStorage);
  } catch {
    // A sandboxed frame has none.
  }
  const urls = new Map<string, string>();
  return {
    get: async (fingerprint) => urls.get(fingerprint) ?? null,
    set: async (fingerprint, url) => void urls.set(fingerprint, url),
    delete: async (fingerprint) => void urls.delete(fingerprint),
  };
}

/** A storage that is full remembers nothing more; that is no reason not to upload. */
function inWebStorage(storage: Storage): UploadStore {
  return {
    get: async (fingerprint) => storage.getItem(PREFIX + fingerprint),
    async set(fingerprint, url) {
      try {
        storage.setItem(PREFIX + fingerprint, url);
      } catch {}
    },
    delete: async (fingerprint) => storage.removeItem(PREFIX + fingerprint),
  };
}
