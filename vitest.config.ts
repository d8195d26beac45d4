import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Settings under which the Worker's tests run: small limits, so that a test can reach them. */
const bindings = { REELWIRE_OPEN: '1', MAX_UPLOAD_BYTES: String(20 * 2 ** 20) };

/** Many tests wait for a pace, a lease or a player: two more than there are cores keep two cores busy. */
const MAX_WORKERS = 4;

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare: { bindings } })],
        test: {
          name: 'worker',
          maxWorkers: MAX_WORKERS,
          testTimeout: 30_000,
          include: ['test/worker/**/*.test.ts'],
          /** Where itty-durable's imports, which have no file extension, are resolved. */
          deps: { optimizer: { ssr: { enabled: true, include: ['itty-durable'] } } },
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/{unit,transcoder,tools,e2e,faults,browser,client}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: MAX_WORKERS,
          /** Files of one worker share what they import: wrangler and the browsers' drivers take a second each. */
          isolate: false,
        },
      },
    ],
  },
});
