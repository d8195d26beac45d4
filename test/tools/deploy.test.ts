/** `npm run deploy` against a stand-in of Cloudflare's API; what it looks at from outside is a real, closed edge. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Cloudflare from 'cloudflare';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestHarness } from 'wrangler';
import { z } from 'zod';
import { makeKey } from '../../src/contract/access.ts';
import { chooseAccount } from '../../tools/deploy/account.ts';
import { existing } from '../../tools/deploy/existing.ts';
import { readDeployOptions } from '../../tools/deploy/options.ts';
import { tellPlan } from '../../tools/deploy/plan.ts';
import { atWorkersDev } from '../../tools/deploy/publish.ts';
import { Report } from '../../tools/deploy/report.ts';
import { resources } from '../../tools/deploy/resources.ts';
import { missingSecrets } from '../../tools/deploy/secrets.ts';
import { lookFromOutside } from '../../tools/deploy/smoke.ts';
import { noAddress, readWanted, type Source } from '../../tools/deploy/wanted.ts';
import { ROOT } from '../../tools/paths.mjs';
import { Wrangler } from '../../tools/wrangler/child.ts';
import { addKey } from '../e2e/add-key.ts';
import { CloudflareApi } from './cloudflare-api.ts';
import { Running } from './running.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const STRANGER = { CLOUDFLARE_API_TOKEN: '' };
const PRODUCTION = { env: 'production', domain: null, url: null };
const RULE = { id: 'reelwire-unfinished-uploads' };
const WORKER = 'reelwire-production';
const UPLOADED = `PUT /workers/scripts/${WORKER}`;

let api: CloudflareApi;
let folder: string;
beforeEach(async () => {
  api = await CloudflareApi.start();
  folder = mkdtempSync(join(tmpdir(), 'deploy-test-'));
});
afterEach(async () => {
  await api.stop();
  rmSync(folder, { recursive: true, force: true });
});

const sdk = () =>
  new Cloudflare({ apiToken: 'a-token', baseURL: api.environment.CLOUDFLARE_API_BASE_URL ?? '', maxRetries: 0 });

async function deploy(args: string[], environment: Record<string, string> = {}) {
  const none = { HOME: folder, XDG_CONFIG_HOME: folder, TMPDIR: folder, CLOUDFLARE_ACCOUNT_ID: '', REELWIRE_KEY: '' };
  const running = new Running(null, [join(ROOT, 'tools/deploy.ts'), ...args], {
    ...{ ...none, ...api.environment, TOKEN_SECRET: '', TRANSCODER_TOKEN: '' },
    ...environment,
  });
  return { code: await running.exit, out: running.stdout, err: running.stderr };
}

describe('with an edge to look at', () => {
  const vars = { REELWIRE_OPEN: '', TOKEN_SECRET: 'a-token-secret', TRANSCODER_TOKEN: 'a-transcoder-token' };
  const harness = createTestHarness({ root: ROOT, workers: [{ configPath: 'wrangler.toml', vars }] });
  let edge: string;
  let key: string;
  beforeAll(async () => {
    const { url } = await harness.listen();
    edge = `http://localhost:${url.port}`;
    key = await addKey(harness.getWorker('reelwire'), 'read');
  });
  afterAll(() => harness.close());

  async function deployAgain(token: string | undefined): Promise<void> {
    api.changes.length = 0;
    const again = await deploy(['--url', edge]);
    expect([again.code, again.err]).toEqual([0, '']);
    expect(api.changes.filter((change) => !change.includes(`/scripts/${WORKER}`))).toEqual([
      'PUT /queues/id-of-reelwire-fetch/consumers/a-consumer',
    ]);
    expect(api.changes).toContain(UPLOADED);
    expect(again.out).not.toMatch(/^made/m);
    expect(again.out).toContain('  TRANSCODER_TOKEN=\n');
    expect(again.out).toContain('The first key: npm run keys -- create');
    expect(api.workers.get(WORKER)?.secrets.get('TRANSCODER_TOKEN')).toBe(token);
  }

  const events = (out: string) =>
    out
      .trim()
      .split('\n')
      .map((line) => z.looseObject({ event: z.string() }).parse(JSON.parse(line)));

  test('makes what is missing and only that, then the tables, the Worker with its secrets, and looks; again changes only the Worker', async () => {
    const made = LONG ? EVERYTHING : someOf(api);
    const first = await deploy(['--json', '--url', edge], { REELWIRE_KEY: key });
    expect([first.code, first.err]).toEqual([0, '']);
    expect(api.changes).toEqual([
      ...Object.values(made).flat(),
      ...readdirSync(join(ROOT, 'migrations'))
        .filter((name) => name.endsWith('.sql'))
        .map((name) => `migration ${name}`),
      `POST /workers/scripts/${WORKER}/assets-upload-session`,
      ...[UPLOADED, `PATCH /workers/scripts/${WORKER}/script-settings`],
      ...[`POST /workers/scripts/${WORKER}/subdomain`, `PUT /workers/scripts/${WORKER}/schedules`],
      'POST /queues/id-of-reelwire-fetch/consumers',
    ]);
    expect(api.queues.get('reelwire-transcode-high')?.consumers).toMatchObject([
      { type: 'http_pull', dead_letter_queue: 'reelwire-transcode-dead', settings: { max_retries: 100 } },
    ]);
    const { bindings = [], secrets } = api.workers.get(WORKER) ?? {};
    expect(bindings).toContainEqual({ name: 'DB', type: 'd1', id: 'uuid-of-reelwire' });
    const [tokenSecret, token] = ['TOKEN_SECRET', 'TRANSCODER_TOKEN'].map((name) => secrets?.get(name));
    expect(tokenSecret).toMatch(/^[0-9a-f]{64}$/);
    expect(first.out).not.toContain(tokenSecret);
    expect(events(first.out).filter(({ event }) => event !== 'step')).toEqual([
      {
        event: 'transcoders',
        settings: {
          EDGE_URL: edge,
          TRANSCODER_TOKEN: token,
          CLOUDFLARE_ACCOUNT_ID: 'acc1',
          CLOUDFLARE_API_TOKEN: null,
          QUEUE_ID: 'id-of-reelwire-transcode',
          QUEUE_ID_HIGH: 'id-of-reelwire-transcode-high',
        },
      },
      expect.objectContaining({ event: 'summary', address: edge }),
    ]);
    expect(events(first.out).filter(({ state }) => state === 'seen')).toHaveLength(4);
    expect(readdirSync(folder).filter((name) => name.startsWith('reelwire-'))).toEqual([]);

    const wanted = readWanted(PRODUCTION);
    const found = await existing(sdk(), 'acc1', wanted);
    expect(resources(wanted, found).filter(({ isThere }) => !isThere)).toEqual([]);
    expect([...missingSecrets(wanted, found)]).toEqual([]);
    if (LONG) await deployAgain(token);
    expect(api.unknown).toEqual([]);
  }, 240_000);

  test('a key that opens nothing, and an edge that is open to all, do not pass', async () => {
    const never = new AbortController().signal;
    await expect(lookFromOutside(edge, key, never)).resolves.toMatchObject({ hasKey: true });
    await expect(lookFromOutside(edge, makeKey().key, never)).rejects.toThrow('REELWIRE_KEY opens nothing');
    await harness.update((options) => ({
      ...options,
      workers: [{ configPath: 'wrangler.toml', vars: { REELWIRE_OPEN: '1' } }],
    }));
    await expect(lookFromOutside(edge, undefined, never)).rejects.toThrow('is in open mode');
  });
});

/** Each as the change that makes it. */
const EVERYTHING = {
  input: ['POST /r2/buckets', 'PUT /r2/buckets/reelwire-input/lifecycle'],
  output: ['POST /r2/buckets', 'PUT /r2/buckets/reelwire-output/lifecycle'],
  database: ['POST /d1/database'],
  queues: ['POST /queues', 'POST /queues', 'POST /queues', 'POST /queues'],
  pull: ['POST /queues/id-of-reelwire-transcode/consumers'],
  pullHigh: ['POST /queues/id-of-reelwire-transcode-high/consumers'],
};

/** An account in which most is there already; what is missing. */
function someOf(account: CloudflareApi): Record<string, string[]> {
  account.buckets.set('reelwire-input', [RULE]);
  account.buckets.set('reelwire-output', []);
  account.databases.set('reelwire', { uuid: 'uuid-of-reelwire', tables: [] });
  account.addQueue('reelwire-transcode', { type: 'http_pull' });
  for (const name of ['transcode-dead', 'transcode-high', 'fetch']) account.addQueue(`reelwire-${name}`);
  return { rule: EVERYTHING.output.slice(1), pullHigh: EVERYTHING.pullHigh };
}

describe('--plan', () => {
  test('says every command and asks nobody', () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const wanted = readWanted({ ...PRODUCTION, domain: 'video.example.com' });
    tellPlan(wanted, new Wrangler('production', new AbortController().signal), new Report(false));
    const out = said.mock.calls.join('\n');
    said.mockRestore();
    const commands = out
      .split('\n')
      .filter((line) => line.includes('npx wrangler'))
      .map((line) => line.trim());
    const rule = '--abort-multipart-days 7 --force';
    const consumer = '--message-retries 100 --dead-letter-queue reelwire-transcode-dead';
    expect(commands).toEqual(
      [
        'r2 bucket create reelwire-input',
        `r2 bucket lifecycle add reelwire-input reelwire-unfinished-uploads ${rule}`,
        'r2 bucket create reelwire-output',
        `r2 bucket lifecycle add reelwire-output reelwire-unfinished-uploads ${rule}`,
        'd1 create reelwire',
        ...['transcode-dead', 'transcode', 'transcode-high', 'fetch'].map((name) => `queues create reelwire-${name}`),
        `queues consumer http add reelwire-transcode ${consumer}`,
        `queues consumer http add reelwire-transcode-high ${consumer}`,
        'd1 migrations apply DB --remote',
        'deploy --domain video.example.com',
      ].map((command) => `npx wrangler ${command} --env=production`),
    );
    expect(out).toContain('a look from outside (at https://video.example.com)');
  });
});

describe('what has to exist', () => {
  const wanted = (text: string, more: Source = PRODUCTION) => {
    const path = join(folder, 'wrangler.toml');
    writeFileSync(path, `name = "w"\nmain = "w.js"\ncompatibility_date = "2026-09-18"\n[env.production]\n${text}`);
    return readWanted(more, path);
  };

  test('is what wrangler.toml names: a queue that the Worker consumes is not pulled, and each dead-letter queue is there', () => {
    const { queues, pulled, buckets, worker } = wanted(`
      r2_buckets = [{ binding = "B", bucket_name = "videos" }]
      [[env.production.queues.producers]]
      binding = "JOBS"
      queue = "jobs"
      [[env.production.queues.producers]]
      binding = "FETCH"
      queue = "fetch"
      [[env.production.queues.consumers]]
      queue = "fetch"
      dead_letter_queue = "fetch-failed"`);
    expect({ queues, pulled, buckets, worker }).toEqual({
      queues: ['jobs-dead', 'fetch-failed', 'jobs', 'fetch'],
      pulled: [{ binding: 'JOBS', queue: 'jobs', deadLetters: 'jobs-dead' }],
      buckets: ['videos'],
      worker: 'w-production',
    });
  });

  test.each([
    ['nothing', '', null, false],
    [
      'a custom domain',
      'routes = [{ pattern = "a.example.com", custom_domain = true }]',
      'https://a.example.com',
      true,
    ],
    ['a route', 'route = "b.example.com/*"', 'https://b.example.com', true],
    ['a route of many names', 'route = "*.example.com/*"', null, false],
    ['workers.dev', 'workers_dev = true', null, true],
  ])('is reached by %s', (_, text, address, isReachable) => {
    expect(wanted(text)).toMatchObject({ address, isReachable });
    const url = 'https://elsewhere.example.com';
    expect(wanted(text, { ...PRODUCTION, url })).toMatchObject({ address: url, isReachable: true });
  });
});

test.each([
  [['reelwire-production.us.workers.dev', 'schedule: 17 3 * * *'], 'https://reelwire-production.us.workers.dev'],
  [['schedule: 17 3 * * *', 'video.example.com (custom domain)'], null],
])('of the targets %j it is at workers.dev: %s', (targets, address) => {
  expect(atWorkersDev(targets)).toBe(address);
});

describe('what is wrong is said, with the next step', () => {
  test('there is no such environment, or no address', () => {
    expect(() => readWanted({ ...PRODUCTION, env: 'staging' })).toThrow('["production"]');
    expect(readWanted(PRODUCTION).isReachable).toBe(false);
    expect(noAddress('production').message).toContain('Use --domain video.example.com');
  });

  test.runIf(LONG)('a plan needs no login', async () => {
    const { code, err } = await deploy(['--plan'], STRANGER);
    expect([code, err, api.requests]).toEqual([0, '', 0]);
  });

  test.runIf(LONG).each<[string, string[], string]>([
    ['nobody is logged in', ['--domain', 'video.example.com'], 'Run `npx wrangler login`'],
    ['there is no address', [], 'Use --domain video.example.com'],
    ['there is no such environment', ['--env', 'staging'], '["production"]'],
  ])('and the command ends: %s', async (_, args, step) => {
    const { code, out, err } = await deploy(args, STRANGER);
    expect([code === 0, out, api.requests]).toEqual([false, '', 0]);
    expect(err).toContain(step);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test('several accounts, or another than those of this login', async () => {
    expect(await chooseAccount(sdk(), null)).toEqual({ id: 'acc1', name: 'Ours' });
    expect(await chooseAccount(sdk(), 'acc1')).toEqual({ id: 'acc1', name: 'Ours' });
    await expect(chooseAccount(sdk(), 'acc9')).rejects.toThrow(/acc9 .* is not one of this login.*\n {2}acc1 {2}Ours/);
    api.accounts.push({ id: 'acc2', name: 'Theirs' });
    await expect(chooseAccount(sdk(), null)).rejects.toThrow(/Set CLOUDFLARE_ACCOUNT_ID.*\n {2}acc1 {2}Ours\n {2}acc2/);
    for (let n = 3; n <= 120; n++) api.accounts.push({ id: `acc${n}`, name: 'One of many' });
    expect(await chooseAccount(sdk(), 'acc120')).toEqual({ id: 'acc120', name: 'One of many' });
    await expect(chooseAccount(sdk(), null)).rejects.toThrow(/\n {2}acc120 {2}One of many$/);
    api.accounts.length = 0;
    await expect(chooseAccount(sdk(), null)).rejects.toThrow('may not list its accounts');
    expect(await chooseAccount(sdk(), 'acc9')).toEqual({ id: 'acc9', name: null });
  });

  const look = async () => resources(readWanted(PRODUCTION), await existing(sdk(), 'acc1', readWanted(PRODUCTION)));

  test.each<[string, string, [number, number, string], string]>([
    [
      'R2 is not enabled',
      '/r2/',
      [403, 10042, 'Please enable R2 through the Cloudflare Dashboard.'],
      'Enable it once at',
    ],
    ['the token may not', '/queues', [403, 10000, 'Authentication error'], 'docs/deploy.md lists what a token needs'],
    ['something that we do not know', '/d1/', [400, 4711, 'The moon is full.'], 'The moon is full. [code: 4711]'],
  ])('%s', async (_, room, refusal, step) => {
    expect((await look()).every(({ isThere }) => !isThere)).toBe(true);
    api.refuse = (_method, path) => (path.startsWith(room) ? refusal : null);
    await expect(look()).rejects.toThrow(step);
  });

  test('a Worker consumes the queue that is to be pulled', async () => {
    api.addQueue('reelwire-transcode', { type: 'worker', script: 'somebody' });
    await expect(look()).rejects.toThrow('npx wrangler queues consumer worker remove reelwire-transcode somebody');
  });

  test.each([
    [['--domain', 'https://x'], '--domain: must be a host name'],
    [['--domain', 'nonsense'], '--domain: must be a host name with a dot: video.example.com'],
    [['--url', 'x'], '--url: must be an http or https address'],
    [['--url', 'video.example.com'], 'did you mean https://video.example.com?'],
    [['--force'], "Unknown option '--force'"],
  ])('the command line %j', (args, why) => {
    expect(() => readDeployOptions(args)).toThrow(why);
    expect(() => readDeployOptions(args)).toThrow('Usage: npm run deploy');
  });

  test.runIf(LONG)('real npm keeps a plan to itself, and nothing is deployed', async () => {
    const npm = new Running('npm', ['run', '-s', 'deploy', '--plan'], api.environment);
    expect([await npm.exit, npm.stdout, api.requests]).toEqual([2, '', 0]);
    expect(npm.stderr).toContain('npm run deploy -- --plan');
  });
});
