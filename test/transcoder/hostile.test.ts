/**
 * Files that are there to make us read another file or call another machine. Each lies beside canaries and goes through
 * the probe, through ffprobe and through the encoder's own command. Then the same two commands without the two
 * whitelists, and with what else they need to take the bait: they must reach the canary, or the file proves nothing.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeArgs, SAFE_INPUT } from '../../transcoder-node/media/ffmpeg-args.ts';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import { probe, type Source } from '../../transcoder-node/media/probe.ts';
import { isMediaHead } from '../../transcoder-node/media/sniff.ts';
import { FROM_THE_BEGINNING } from '../../transcoder-node/media/starting.ts';
import { BAITS, dash } from './baits.ts';
import { CANARY, Canaries, REFUSED_PORT } from './canaries.ts';
import { Clips, QUICK, testPicture } from './clips.ts';
import { Harness } from './harness.ts';
import { LoopbackEdge } from './loopback-edge.ts';

let clips: Clips;
beforeAll(async () => {
  clips = await Clips.open();
});
afterAll(() => clips.close());

/** What the encoder knows of an ordinary clip; here it is pointed at the bait. */
const SOURCE: Source = {
  ...{
    video: 0,
    audio: null,
    seekable: true,
    size: { width: 320, height: 240 },
    interlaced: false,
    hdr: false,
    end: 1,
    audioEnd: null,
    dropped: [],
  },
  ...{ nominalRate: { num: 25, den: 1 }, averageRate: { num: 25, den: 1 } },
};
const PLAN = makePlan(SOURCE);

interface Command {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

function commands(input: string): Command[] {
  const examine = ['-v', 'error', ...SAFE_INPUT, '-of', 'json', '-show_streams', '-show_format', input];
  const encode = encodeArgs({
    input,
    source: SOURCE,
    plan: PLAN,
    start: FROM_THE_BEGINNING,
    references: [],
    pipeOf: (rendition) => `${rendition}.out`,
  });
  return [
    { name: 'ffprobe', file: clips.binaries.ffprobe, args: examine },
    { name: 'ffmpeg', file: clips.binaries.ffmpeg, args: encode },
  ];
}

/** The same command with `loosened` in the place of the whitelists. */
function without({ args, ...command }: Command, loosened: readonly string[]): Command {
  const at = args.indexOf(SAFE_INPUT[0] ?? '');
  expect(args.slice(at, at + SAFE_INPUT.length)).toEqual(SAFE_INPUT);
  return { ...command, args: args.toSpliced(at, SAFE_INPUT.length, ...loosened) };
}

interface Outcome {
  readonly ok: boolean;
  readonly stderr: string;
  /** How often the canaries were reached. */
  readonly file: number;
  readonly connection: number;
  readonly port: number;
}

async function execute({ file, args }: Command, canaries: Canaries): Promise<Outcome> {
  const { opened, connected, folder } = canaries;
  // fd 3 and up: what the encoder says about its progress.
  const stdio = ['ignore', 'ignore', 'pipe', ...[PLAN, ...PLAN.video].map(() => 'pipe' as const)] as const;
  const limits = { timeout: 20_000, killSignal: 'SIGKILL', reject: false } as const;
  const ended = await execa(file, args, { cwd: folder, env: { GCONV_PATH: folder }, stdio: [...stdio], ...limits });
  const stderr = String(ended.stderr);
  return {
    ...{ ok: !ended.failed, stderr, file: canaries.opened - opened, connection: canaries.connected - connected },
    port: REFUSED_PORT.test(stderr) ? 1 : 0,
  };
}

async function withCanaries(name: string, test: (canaries: Canaries) => Promise<void>): Promise<void> {
  const canaries = await Canaries.open(clips.path(name));
  try {
    await test(canaries);
  } finally {
    await canaries.close();
  }
}

const look = (input: string, folder: string): Promise<Source> =>
  probe(input, { binaries: clips.binaries, folder, signal: new AbortController().signal });

describe('a file that points elsewhere', () => {
  it.each(BAITS)('$name', ({ file, text, reaches, loosened = [] }) =>
    withCanaries(`${file}.d`, async (canaries) => {
      const input = join(canaries.folder, file);
      await writeFile(input, text(canaries));
      await expect(look(input, canaries.folder)).rejects.toMatchObject({ code: 'not_media' });
      expect(canaries).toMatchObject({ opened: 0, connected: 0 });
      for (const command of commands(input)) {
        const guarded = await execute(command, canaries);
        expect(guarded, command.name).toMatchObject({ ok: false, file: 0, connection: 0, port: 0 });
        const bare = await execute(without(command, loosened), canaries);
        expect(bare[reaches], `${command.name}: ${bare.stderr}`).toBeGreaterThan(0);
      }
    }),
  );

  it('is a refused job, and nothing else', () =>
    withCanaries('job', async (canaries) => {
      const edge = await LoopbackEdge.start();
      const transcoder = await Harness.start(edge.url, clips.binaries);
      try {
        const job = edge.addJob(Buffer.from(`<!--free-->${dash(canaries.url)}`));
        await edge.until(() => job.finish);
        expect(job.finish).toMatchObject({ error: { code: 'not_media', retryable: false } });
        expect(canaries).toMatchObject({ opened: 0, connected: 0 });
      } finally {
        await transcoder.stop();
        await edge.close();
      }
    }));
});

it('gets past the first look with a head like that of an mp4, so that the format list is the only guard', () => {
  expect(isMediaHead(Buffer.from(dash(CANARY)))).toBe(false);
  expect(isMediaHead(Buffer.from(`<!--free-->${dash(CANARY)}`))).toBe(true);
});

it('is not the commands that fail: they work on a video', () =>
  withCanaries('video', async (canaries) => {
    const input = await clips.make('video.mp4', ...testPicture('320x240', '25', 1), ...QUICK);
    expect((await look(input, canaries.folder)).size).toEqual({ width: 320, height: 240 });
    for (const command of commands(input)) expect(await execute(command, canaries)).toMatchObject({ ok: true });
  }));
