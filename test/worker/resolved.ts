/**
 * Each call of the Worker or of an object has the plugin import the Worker's module, and each time vitest asks its main
 * process where that lies: some seventeen thousand times in a run. Here it is asked once.
 */
type Resolve = (id: string, importer?: string) => Promise<unknown>;

declare global {
  /** What vitest leaves of its module runner to the code that it runs. */
  var __vitest_mocker__: { moduleRunner: { vitestOptions: { transport: { resolveId: Resolve } } } };
}

const { transport } = globalThis.__vitest_mocker__.moduleRunner.vitestOptions;
const ask = transport.resolveId;
const known = new Map<string, Promise<unknown>>();

transport.resolveId = (id, importer) => {
  if (importer !== undefined || !id.endsWith('/src/worker/index.ts')) return ask(id, importer);
  const found = known.get(id) ?? ask(id);
  known.set(id, found);
  return found;
};

export {};
