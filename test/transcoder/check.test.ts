/** `--check`: what is here and what is missing, for people, and an exit code. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Clips } from './clips.ts';

const MAIN = join(import.meta.dirname, '../../transcoder-node/main.ts');

let clips: Clips;
let work: string;
beforeAll(async () => {
  clips = await Clips.open();
  work = clips.path('work');
});
afterAll(() => clips.close());

async function check(env: Record<string, string> = {}): Promise<{ code: number | undefined; out: string }> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const options = {
    env: { PATH, NODE_COMPILE_CACHE, WORK_DIR: work, ...env },
    extendEnv: false,
    reject: false,
  } as const;
  const { exitCode, stdout } = await execa(process.execPath, [MAIN, '--check', '--slots', '3'], options);
  expect(await readdir(work)).toEqual([]);
  await rm(work, { recursive: true });
  return { code: exitCode, out: stdout };
}

describe('--check', () => {
  it('names versions, parts, cores, slots, the folder and its room', async () => {
    const { code, out } = await check();
    expect(code).toBe(0);
    for (const line of [/^ffmpeg +n?\d+\./m, /^ {2}libx264 +yes$/m, /^ {2}aac +yes$/m, /^ {2}zscale +yes$/m]) {
      expect(out).toMatch(line);
    }
    expect(out).toMatch(/^ {2}libvmaf +yes$/m);
    expect(out).toMatch(/^packager +3\.\d+/m);
    expect(out).toMatch(/^cores +\d+$/m);
    expect(out).toMatch(/^slots +3$/m);
    expect(out).toMatch(new RegExp(`^work folder +${work}, \\d+\\.\\d GB free$`, 'm'));
    expect(out).toMatch(/This machine can transcode\.$/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['ffmpeg', { FFMPEG_PATH: '/nowhere/ffmpeg' }, /^ffmpeg +missing$[\s\S]*ffmpeg does not run.*apt install ffmpeg/m],
    ['ffprobe', { FFPROBE_PATH: '/nowhere/ffprobe' }, /^ffprobe +missing$[\s\S]*ffprobe does not run/m],
    ['the packager', { PACKAGER_PATH: '/nowhere/packager' }, /^packager +missing$[\s\S]*shaka-packager\/releases/m],
    ['an encoder', { FFMPEG_PATH: '/bin/true' }, /^ {2}libx264 +missing$[\s\S]*lacks the encoder libx264/m],
  ])('says what to do when this is missing, and ends with 1: %s', async (_, env, says) => {
    const { code, out } = await check(env);
    expect(code).toBe(1);
    expect(out).toMatch(says);
    expect(out).not.toMatch(/can transcode/);
  });

  it('can do without libvmaf, and says so', async () => {
    const without = await clips.script('without', `'${clips.binaries.ffmpeg}' "$@" | grep -v libvmaf`);
    const { code, out } = await check({ FFMPEG_PATH: without });
    expect(code).toBe(0);
    expect(out).toMatch(/^ {2}libvmaf +no: renditions will not be measured/m);
  });
});
