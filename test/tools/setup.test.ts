/** The installer, run as it is on a small project whose only dependency lies beside it: a real `npm ci`, no network. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquire } from '../../tools/lock.mjs';
import { whatIsMissing } from '../../tools/machine.mjs';
import { Running, tool } from './running.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'setup-test-'));
  mkdirSync(join(root, 'tools'));
  mkdirSync(join(root, 'part'));
  for (const name of ['setup.mjs', 'installed.mjs', 'lock.mjs', 'machine.mjs', 'paths.mjs']) {
    cpSync(tool(name), join(root, 'tools', name));
  }
  write('part/package.json', { name: 'part', version: '1.0.0' });
  write('package.json', { name: 'whole', version: '1.0.0', workspaces: ['part'] });
  write('package-lock.json', {
    ...{ name: 'whole', version: '1.0.0', lockfileVersion: 3, requires: true },
    packages: {
      '': { name: 'whole', version: '1.0.0', workspaces: ['part'] },
      'node_modules/part': { resolved: 'part', link: true },
      part: { version: '1.0.0' },
    },
  });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (name: string, value: unknown) => writeFileSync(join(root, name), JSON.stringify(value, null, 2));
const marker = () => join(root, 'node_modules', '.reelwire-setup');
const setup = (env: Record<string, string> = {}) => new Running(null, [join(root, 'tools', 'setup.mjs')], env);

it('installs once, says so on stderr only, and then does nothing', async () => {
  const first = setup({ npm_config_omit: 'dev', npm_config_loglevel: 'silent' });
  expect(await first.exit, first.stderr).toBe(0);
  expect(first.stdout).toBe('');
  expect(first.stderr).toContain('The dependencies are installed.');
  expect(existsSync(join(root, 'node_modules', 'part', 'package.json'))).toBe(true);

  const second = setup();
  expect(await second.exit).toBe(0);
  expect(second.stdout + second.stderr).toBe('');
});

it('looks again when the lockfile has changed', async () => {
  expect(await setup().exit).toBe(0);
  const before = readFileSync(marker(), 'utf8');
  writeFileSync(join(root, 'package-lock.json'), `${readFileSync(join(root, 'package-lock.json'), 'utf8')}\n`);
  expect(await setup().exit).toBe(0);
  expect(readFileSync(marker(), 'utf8')).not.toBe(before);
});

it('recognises an install that was made by hand', async () => {
  expect(await setup().exit).toBe(0);
  rmSync(marker());
  const again = setup();
  expect(await again.exit).toBe(0);
  expect(again.stderr).toBe('');
  expect(existsSync(marker())).toBe(true);
});

it('writes no marker when npm fails, and says what to do', async () => {
  write('package.json', { name: 'whole', version: '1.0.0', workspaces: ['part'], dependencies: { absent: '1.0.0' } });
  const failing = setup();
  expect(await failing.exit).toBe(1);
  expect(failing.stderr).toMatch(/npm ci ended with code \d+\..*run the command again/);
  expect(existsSync(marker())).toBe(false);
});

it('waits for another install to end', async () => {
  const lock = acquire(join(root, '.wrangler', 'install.lock'));
  const waiting = setup();
  await waiting.until('a sentence', () =>
    waiting.stderr.includes(`(process ${process.pid}) is installing the dependencies; waiting for it.`),
  );
  expect(existsSync(marker())).toBe(false);
  lock.release();
  expect(await waiting.exit, waiting.stderr).toBe(0);
  expect(existsSync(marker())).toBe(true);
});

describe('what a machine must bring', () => {
  it.each([
    ['linux-x64', {}, null],
    ['darwin-arm64', { PATH: '' }, 'ffmpeg and ffprobe with libx264: brew install ffmpeg'],
    ['linux-arm64', { PATH: '', FFMPEG_PATH: '/somewhere' }, '- ffprobe with libx264: sudo apt-get install ffmpeg'],
    ['linux-arm64', { PATH: '', FFMPEG_PATH: '/somewhere', FFPROBE_PATH: '/somewhere' }, null],
  ])('%s with %o', (machine, env, expected) => {
    const missing = whatIsMissing(machine, env);
    if (expected === null) expect(missing).toBeNull();
    else expect(missing).toContain(expected);
  });
});
