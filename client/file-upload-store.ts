/**
 * Uploads that outlive a process: a JSON file for programs in Node. It is replaced whole, so it is never half written,
 * and one change waits for the other. Node's modules are asked for by name, so that bundles for browsers can hold this.
 */
import type { UploadStore } from './upload-store.ts';

interface Files {
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
}

interface Platform {
  process?: { getBuiltinModule?(name: 'node:fs/promises'): Files };
}

/** Remembers unfinished uploads in the file `path`. It need not be there yet, nor its folder. Node only. */
export function fileUploadStore(path: string): UploadStore {
  const files = (globalThis as Platform).process?.getBuiltinModule?.('node:fs/promises');
  if (!files) throw new TypeError('fileUploadStore() needs Node 22.3 or newer.');
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const change = (act: (urls: Map<string, string>) => void) =>
    inTurn(async () => {
      const urls = await read(files, path);
      act(urls);
      await files.mkdir(path.replace(/[^/\\]*$/, '') || '.', { recursive: true });
      const fresh = `${path}.${crypto.randomUUID()}`;
      await files.writeFile(fresh, JSON.stringify(Object.fromEntries(urls), null, 2));
      await files.rename(fresh, path);
    });
  return {
    get: (fingerprint) => inTurn(async () => (await read(files, path)).get(fingerprint) ?? null),
    set: (fingerprint, url) => change((urls) => urls.set(fingerprint, url)),
    delete: (fingerprint) => change((urls) => urls.delete(fingerprint)),
  };
}

/** Empty when the file is not there, or is something else. */
async function read(files: Files, path: string): Promise<Map<string, string>> {
  const text = await files.readFile(path, 'utf8').catch((error: { code?: unknown }) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  try {
    const entries: [string, unknown][] = Object.entries(JSON.parse(text));
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map();
  }
}
