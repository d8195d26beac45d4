/**
 * What is made from the middle on is what a run from the beginning makes there: the same frames at the same times, and
 * it goes with the same init segment. Both run with the transcoder's own arguments, through the packager.
 */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import { probe } from '../../transcoder-node/media/probe.ts';
import { findStart } from '../../transcoder-node/media/seek.ts';
import type { MadeFrames, Start } from '../../transcoder-node/media/starting.ts';
import { Clips, QUICK, testPicture } from './clips.ts';
import { makeRungs, type Rungs } from './rungs.ts';
import { B_FRAMES, CASES, type Case, GROUPS, LONG, SECONDS } from './starting-clips.ts';

let clips: Clips;
beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());

async function clipOf({ file, make, cut }: Case): Promise<string> {
  if (!cut) return clips.make(file, ...make);
  const whole = await clips.make(`whole-${file}`, ...make);
  return clips.make(file, ...cut, '-i', whole, '-c', 'copy');
}

/** When every picture is shown and which are key pictures, and when they are decoded. */
async function pictures(path: string): Promise<{ shown: string[]; decoded: number[] }> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'packet=pts,dts,flags',
    '-of',
    'csv=p=0',
    path,
  ];
  const { stdout } = await execa(clips.binaries.ffprobe, args);
  const packets = stdout.split('\n').map((line) => line.split(','));
  return {
    shown: packets.map(([pts = '', , flags = '']) => `${pts.padStart(9)} ${flags}`).toSorted(),
    decoded: packets.map(([, dts]) => Number(dts)),
  };
}

/** How far the two are apart at their worst picture: PSNR in dB. Neighbouring pictures of a test clip have less than 25. */
async function worstPicture(one: string, other: string): Promise<number> {
  const log = clips.path('psnr.log');
  const args = ['-v', 'error', '-i', one, '-i', other, '-lavfi', `psnr=stats_file=${log}`, '-f', 'null', '-'];
  await execa(clips.binaries.ffmpeg, args);
  const values = [...(await readFile(log, 'utf8')).matchAll(/psnr_y:(\S+)/g)].map(([, value]) => Number(value));
  return Math.min(...values.map((value) => (Number.isNaN(value) ? 100 : value)));
}

const startOf = ({ source, plan }: Pick<Rungs, 'source' | 'plan'>, input: string, made: MadeFrames): Promise<Start> => {
  const bench = { binaries: clips.binaries, folder: clips.folder, signal: new AbortController().signal, nice: 0 };
  return findStart(bench, { input, source, rungs: plan.video, made });
};

/** `whole` up to segment `after`, then `rest`, as one file. */
async function joined(name: string, rung: string, whole: Rungs, after: number, rest: Rungs): Promise<string> {
  const [first, second] = [await whole.parts(rung), await rest.parts(rung)];
  expect(second[0]).toEqual(first[0]);
  return clips.write(name, Buffer.concat([...first.slice(0, 1 + after), ...second.slice(1)]));
}

describe('from the middle on', () => {
  it.each(CASES)('$row', async (made) => {
    const input = await clipOf(made);
    const whole = await makeRungs(clips, `${made.file}-whole`, input, { compare: false });
    const [rung] = whole.plan.video;
    if (!rung) throw new Error('no rung');
    for (const after of LONG ? [1, 2] : [2]) {
      const start = await startOf(whole, input, new Map([[rung.name, after * rung.gop]]));
      expect(start.seek > 0).toBe(made.seeks);
      const rest = await makeRungs(clips, `${made.file}-${after}`, input, { start, compare: false });
      const path = await joined(`joined-${after}-${made.file}.mp4`, rung.name, whole, after, rest);
      expect(await pictures(path)).toEqual(await pictures(whole.file(rung.name)));
      expect(await worstPicture(path, whole.file(rung.name))).toBeGreaterThan(30);
      if (whole.plan.audio) expect(await rest.parts('audio')).toEqual(await whole.parts('audio'));
    }
  });

  it('each rung at its own place, from one decode', async () => {
    const input = await clips.make('two.mp4', ...testPicture('640x360', '10', SECONDS), ...QUICK, ...GROUPS);
    const whole = await makeRungs(clips, 'two-whole', input, { compare: false });
    const had = new Map(whole.plan.video.map(({ name }, index) => [name, 2 - index]));
    expect([...had]).toEqual([
      ['240p', 2],
      ['360p', 1],
    ]);
    const made = new Map(whole.plan.video.map(({ name, gop }) => [name, gop * (had.get(name) ?? 0)]));
    const rest = await makeRungs(clips, 'two-rest', input, {
      start: await startOf(whole, input, made),
      compare: false,
    });
    for (const [name, after] of had) {
      const path = await joined(`two-${name}.mp4`, name, whole, after, rest);
      expect(await pictures(path)).toEqual(await pictures(whole.file(name)));
    }
  });

  /** With so few, x264 orders them in another way. */
  it.each(LONG ? [1, 2, 3] : [2])('%d frames at the end', async (frames) => {
    const clip = [...testPicture('160x120', '25', SECONDS), '-frames:v', String(200 + frames), ...B_FRAMES];
    const input = await clips.make(`end-${frames}.mp4`, ...clip);
    const whole = await makeRungs(clips, `end-${frames}-whole`, input, { compare: false });
    const [rung] = whole.plan.video;
    if (!rung) throw new Error('no rung');
    const start = await startOf(whole, input, new Map([[rung.name, 2 * rung.gop]]));
    const rest = await makeRungs(clips, `end-${frames}-rest`, input, { start, compare: false });
    const path = await joined(`end-${frames}.joined.mp4`, rung.name, whole, 2, rest);
    expect(await pictures(path)).toEqual(await pictures(whole.file(rung.name)));
  });
});

describe('the seek', () => {
  const found = async (input: string, ...after: number[]): Promise<number> => {
    const { binaries, folder } = clips;
    const source = await probe(input, { binaries, folder, signal: new AbortController().signal });
    const plan = makePlan(source);
    const made = new Map(plan.video.map(({ name, gop }, index) => [name, gop * (after[index] ?? 0)]));
    return (await startOf({ source, plan }, input, made)).seek;
  };

  it('goes to a whole second before the first frame that is wanted of any rung', async () => {
    const make = [...testPicture('640x360', '24000/1001', 16), ...QUICK, ...GROUPS];
    const input = await clips.make('film.mkv', ...make);
    expect(await found(input, 3, 4)).toBe(10);
    expect(await found(input, 4, 1)).toBe(2);
    expect(await found(input, 0, 4)).toBe(0);
  });

  /** What comes after the pause is decoded when it begins, because of the B-frames, and shown when it ends. */
  it('goes back over a pause at whose end the next key picture is shown', async () => {
    const paused = ['-vf', "select='not(between(n,250,500))'", '-fps_mode', 'vfr', ...B_FRAMES, '-g', '25'];
    const make = [...testPicture('160x120', '25', 22), ...paused];
    expect(await found(await clips.make('paused.mp4', ...make), 3)).toBe(2);
  });
});
