/** `reelwire keys`: what it says, and what it leaves in the database. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { ApiKey, digestOf, NewApiKey } from '../../src/contract/access.ts';
import { ROOT } from '../../tools/paths.mjs';
import { fromJson, Wrangler } from '../../tools/wrangler/child.ts';
import { CloudflareApi } from '../tools/cloudflare-api.ts';
import { Command, type Ended, refusalOf } from './command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keys-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const keys = (...args: string[]): Promise<Ended> => {
  const nobody = { HOME: folder, XDG_CONFIG_HOME: folder, CLOUDFLARE_API_TOKEN: '' };
  return new Command('http://localhost:9', folder, { ...nobody, STATE_DIR: folder }).run('keys', ...args);
};

/** Every byte that the databases hold. */
const stored = (): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('');

test('makes a key, shows it once, lists it without its secret, and revokes it', async () => {
  const made = await keys('create', '--name', 'ci-bot', '--role', 'submit', '--json');
  expect([made.code, made.err]).toEqual([0, '']);
  const { key, ...rest } = NewApiKey.parse(JSON.parse(made.out));
  expect(rest).toMatchObject({ name: 'ci-bot', role: 'submit', last_used_at: null, revoked_at: null });
  expect(stored()).toContain(await digestOf(key));
  expect(stored()).not.toContain(key.slice(-20));

  const listed = await keys('list', '--json');
  expect(z.object({ keys: z.array(ApiKey) }).parse(JSON.parse(listed.out))).toEqual({ keys: [rest] });
  expect(listed.out).not.toContain(key.slice(-20));

  const revoked = await keys('revoke', rest.id);
  expect([revoked.code, revoked.out]).toEqual([
    0,
    expect.stringMatching(/^[0-9a-f]{12} {2}submit {2}ci-bot .*revoked 20/),
  ]);
  const unknown = await keys('revoke', '000000000000');
  expect([unknown.code, unknown.out, unknown.err]).toEqual([1, '', expect.stringContaining('There is no key')]);
});

test('of a deployed database they are for who is logged in', async () => {
  const { code, out, err } = await keys('list', '--remote', '--env', 'production');
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(/^Asking the deployed database \(production\) failed:\n {2}/);
  expect(err).toContain('Run `npx wrangler login`');
});

test('of a deployed database that refuses, the reason and the next step are told', async () => {
  const api = await CloudflareApi.start();
  api.databases.set('reelwire', { uuid: 'uuid-of-reelwire', tables: [] });
  api.refuse = (_, path) => (path.endsWith('/query') ? [400, 7500, 'no such table: api_keys'] : null);
  const deployed = new Command('http://localhost:9', folder, { ...api.environment, CLOUDFLARE_ACCOUNT_ID: 'acc1' });
  const { code, err } = await deployed.run('keys', 'list', '--remote', '--env', 'production');
  await api.stop();
  expect([code, err]).toEqual([1, expect.stringContaining('no such table: api_keys')]);
  expect(err).toContain('A deployed database and its tables are made by `npm run deploy`');
});

const documented = ['access.md', 'deploy.md'].flatMap((page) =>
  [...readFileSync(join(ROOT, 'docs', page), 'utf8').matchAll(/^npm run keys -- (.+)$/gm)].map(([, line = '']) => line),
);

test('each line that the documents name reaches the deployed database', async () => {
  const row = { name: 'x', role: 'read', created_at: 0, last_used_at: null, revoked_at: null };
  const answer = JSON.stringify([{ results: [{ id: '4990dbd93da2', ...row }] }]);
  const asked: string[] = [];
  const spy = vi.spyOn(Wrangler.prototype, 'run').mockImplementation(function (this: Wrangler, args) {
    asked.push(this.command(args));
    return Promise.resolve(answer);
  });
  try {
    for (const line of documented) expect(await keys(...line.split(' '))).toMatchObject({ code: 0, err: '' });
  } finally {
    spy.mockRestore();
  }
  expect(documented.map((line) => line.split(' ')[0])).toEqual(['create', 'list', 'revoke', 'create']);
  const wrangler = /^npx wrangler d1 execute DB --remote .* --command=(\w+) .* --env=production$/;
  expect(asked.map((command) => wrangler.exec(command)?.[1])).toEqual(['INSERT', 'SELECT', 'UPDATE', 'INSERT']);
});

test('what wrangler says must be what is expected of it', () => {
  const Rows = z.array(z.int());
  expect(fromJson(Rows, '[1]')).toEqual([1]);
  for (const text of ['no JSON', '{}'])
    expect(() => fromJson(Rows, text)).toThrow('something else than this tool expects');
});

test.each([
  [[], 'Say what to do'],
  [['make'], "unknown command 'make'"],
  [['list', 'all'], 'too many arguments'],
  [['list', '--name', 'x'], "unknown option '--name'"],
  [['create', '--name', 'x'], '--role'],
  [['create', '--name', 'x', '--role', 'owner'], 'Allowed choices are read, submit, admin.'],
  [['create', '--name', "x'); DROP TABLE api_keys; --", '--role', 'read'], '--name'],
  [['revoke', 'x'], 'The id of a key is 12 hexadecimal digits: "'],
  [['revoke'], "missing required argument 'id'"],
])('%j is refused', async (args, why) => {
  expect(await refusalOf('keys', ...args)).toMatchObject({ exitCode: 2, message: expect.stringContaining(why) });
});
