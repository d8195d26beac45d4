/**
 * Both configurations as they would be deployed: built by wrangler, started without `.dev.vars`, and closed; production
 * with its secrets lets in those who have a key.
 */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestHarness } from 'wrangler';
import { JobToken, makeKey } from '../../src/contract/access.ts';
import { Accepted } from '../../src/contract/api.ts';
import { Problem } from '../../src/contract/errors.ts';
import { addKey } from './add-key.ts';
import { ROOT } from './system.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelwire-closed-'));
  await copyFile(join(ROOT, 'wrangler.toml'), join(folder, 'wrangler.toml'));
  await cp(join(ROOT, 'migrations'), join(folder, 'migrations'), { recursive: true });
  await cp(join(ROOT, 'web/dist'), join(folder, 'web/dist'), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const builds = new Map<string | undefined, Promise<string>>();

/** The Worker of an environment, built once. */
function built({ env }: { env?: string }): Promise<string> {
  const building = builds.get(env) ?? build(env);
  builds.set(env, building);
  return building;
}

/** Builds as a deploy would. */
async function build(env: string | undefined): Promise<string> {
  const into = join(folder, env ?? 'bare');
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
  const deploy = [wrangler, 'deploy', '--dry-run', '--outdir', into, `--env=${env ?? ''}`];
  await run(process.execPath, deploy, { cwd: ROOT, env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } });
  return into;
}

describe.each([
  ['a bare deploy', {}],
  ['production', { env: 'production' }],
])('%s', (_, env) => {
  let url: URL;
  let harness: ReturnType<typeof createTestHarness>;
  beforeAll(async () => {
    harness = createTestHarness({
      root: folder,
      workers: [{ configPath: 'wrangler.toml', prebuiltWorkerDir: await built(env), ...env }],
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

describe('production with its secrets', () => {
  const secrets = { TOKEN_SECRET: 'a-token-secret', TRANSCODER_TOKEN: 'a-transcoder-token' };
  let key: string;
  let url: URL;
  let harness: ReturnType<typeof createTestHarness>;
  beforeAll(async () => {
    const env = { env: 'production' };
    harness = createTestHarness({
      root: folder,
      workers: [{ configPath: 'wrangler.toml', prebuiltWorkerDir: await built(env), ...env, secrets }],
    });
    ({ url } = await harness.listen());
    key = await addKey(harness.getWorker(), 'submit');
  });
  afterAll(() => harness.close());

  const ask = (path: string, token?: string, init: RequestInit = {}): Promise<Response> => {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return fetch(new URL(path, `http://localhost:${url.port}`), { ...init, headers: { ...headers, ...init.headers } });
  };

  test('is not open, and lets nobody in without a key', async () => {
    expect(await (await ask('/health')).json()).toMatchObject({ status: 'healthy', mode: 'keys' });
    expect((await ask('/jobs')).status).toBe(401);
    expect((await ask('/jobs', key)).status).toBe(200);
    expect((await ask('/keys', key)).status).toBe(403);
    expect((await ask('/internal/fleet', key, { method: 'POST' })).status).toBe(401);
    expect((await ask('/internal/fleet', secrets.TRANSCODER_TOKEN, { method: 'POST' })).status).toBe(400);
  });

  test('takes a video from a key, and shows the job to who has a token of it', async () => {
    const type = { 'Content-Type': 'application/octet-stream' };
    const sent = await ask('/process?key=clip', key, { method: 'POST', body: 'bytes', headers: type });
    const { job_id } = Accepted.parse(await sent.json());
    const body = JSON.stringify({ scopes: ['watch'] });
    const made = JobToken.parse(await (await ask(`/jobs/${job_id}/tokens`, key, { method: 'POST', body })).json());
    expect((await ask(`/jobs/${job_id}`, made.token ?? '')).status).toBe(200);
    expect((await ask(`/jobs/${job_id}`)).status).toBe(401);
  });

  test('counts keys that are none by the binding of the platform', async () => {
    const wrong = makeKey().key;
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push((await ask('/jobs', wrong)).status);
    expect([statuses[0], new Set(statuses)]).toEqual([401, new Set([401, 429])]);
    expect((await ask('/jobs', key)).status).toBe(200);
  });
});
