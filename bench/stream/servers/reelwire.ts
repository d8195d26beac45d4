/**
 * This repository's Worker in workerd, as `wrangler deploy` would bundle it, with the bindings of wrangler.toml. It is
 * reached at a socket of workerd itself: no proxy of the development tools stands before it. The folder of the bundle
 * is the one argument.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions } from 'wrangler';
import { ROOT } from '../../../tools/paths.mjs';
import { serve } from './lifetime.ts';

const folder = process.argv[2] ?? '';
const MODULES = [
  { type: 'Text', end: '.sql' },
  { type: 'Data', end: '.gz' },
] as const;
const imported = MODULES.flatMap(({ type, end }) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .map((name) => ({ type, path: join(folder, name) })),
);
const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'));
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: '127.0.0.1',
    port: 0,
    handleStructuredLogs: ({ level, message }) => {
      if (level === 'error') console.error(message);
    },
    workers: [
      {
        ...workerOptions,
        name: 'reelwire',
        modulesRoot: folder,
        modules: [{ type: 'ESModule', path: join(folder, 'index.js') }, ...imported],
        bindings: { REELWIRE_OPEN: '1', LEASE_MS: '600000' },
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      },
    ],
  }),
);
const { port } = await miniflare.unsafeGetDirectURL('reelwire');
serve(Number(port), () => miniflare.dispose());
