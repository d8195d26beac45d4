/**
 * The Worker with the network that workerd itself has. The requests of the harness go through Node's `fetch`, which
 * follows redirects and makes an answer of what is none.
 */
import { join } from 'node:path';
import { unstable_startWorker } from 'wrangler';
import { ROOT } from './system.ts';

export interface DirectEdge {
  url: string;
  stop(): Promise<void>;
}

export async function startDirectEdge(vars: Record<string, string>): Promise<DirectEdge> {
  const bindings = Object.entries({ REELWIRE_OPEN: '1', ...vars }).map(
    ([name, value]) => [name, { type: 'plain_text', value }] as const,
  );
  const worker = await unstable_startWorker({
    config: join(ROOT, 'wrangler.toml'),
    bindings: Object.fromEntries(bindings),
    dev: {
      server: { hostname: '127.0.0.1', port: 0 },
      ...{ logLevel: 'none', persist: false, watch: false, inspector: false },
    },
  });
  await worker.ready;
  return { url: `http://localhost:${(await worker.url).port}`, stop: () => worker.dispose() };
}
