/** Both configurations as they would be deployed: built by wrangler, started without `.dev.vars`, and closed. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestHarness } from 'wrangler';
import { Problem } from '../../src/contract/errors.ts';
import { ROOT } from './system.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelwire-closed-'));
  await copyFile(join(ROOT, 'wrangler.toml'), join(folder, 'wrangler.toml'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ['a bare deploy', []],
  ['production', ['--env', 'production']],
])('%s', (name, args) => {
  let url: URL;
  let harness: ReturnType<typeof createTestHarness>;
  beforeAll(async () => {
    const built = join(folder, name);
    const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
    const deploy = [wrangler, 'deploy', '--dry-run', '--outdir', built, ...args];
    await run(process.execPath, deploy, { cwd: ROOT, env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } });
    const env = args[1] === undefined ? {} : { env: args[1] };
    harness = createTestHarness({
      root: folder,
      workers: [{ configPath: 'wrangler.toml', prebuiltWorkerDir: built, ...env }],
    });
    ({ url } = await harness.listen());
  });
  afterAll(() => harness.close());

  test.each([
    ['GET', '/health'],
    ['POST', '/process'],
    ['GET', '/jobs/11111111-2222-4333-8444-555555555555'],
    ['POST', '/internal/fleet'],
    ['POST', '/client/v4/accounts/a/queues/q/messages/pull'],
  ])('refuses %s %s', async (method, path) => {
    const answer = await fetch(new URL(path, `http://localhost:${url.port}`), { method });
    expect(answer.status).toBe(403);
    expect(Problem.parse(await answer.json()).code).toBe('access_closed');
  });
});
