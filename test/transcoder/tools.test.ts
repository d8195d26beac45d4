/** Tools that die, stand still, or find the disk full; each ends with no process and no folder left. */
import { basename } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testBed } from './bed.ts';

const bed = testBed();
let short: Buffer;
let long: Buffer;
beforeAll(async () => {
  short = await bed.clips.short();
  long = await bed.clips.long();
});
beforeEach(() => bed.start({ libvmaf: false }));

type Pair = 'first' | 'rest';
type Tool = 'ffmpeg' | 'packager';

const LONG = process.env.REELWIRE_LONG === '1';
const OTHERS: [Pair, Tool][] = [
  ['first', 'packager'],
  ['rest', 'ffmpeg'],
];

/** One tool of one pair, while both pairs work. */
async function victim(pair: Pair, which: Tool): Promise<number> {
  const tools = await bed.transcoder.tools();
  const found = tools.find(({ exe, cwd }) => exe === bed.clips.binaries[which] && basename(cwd) === pair);
  if (!found) throw new Error(`no ${which} in the pair ${pair}`);
  return found.pid;
}

describe('a tool that dies', () => {
  it.each<[Pair, Tool]>([['first', 'ffmpeg'], ['rest', 'packager'], ...(LONG ? OTHERS : [])])(
    'takes the others with it, of both pairs: %s, %s',
    async (pair, which) => {
      const job = await bed.encoding(long);
      process.kill(await victim(pair, which), 'SIGKILL');
      await bed.edge.until(() => job.finish);
      expect(job.finish).toMatchObject({ error: { code: 'encode_failed', retryable: true } });
      expect(job.entries.some(({ type }) => type === 'rendition')).toBe(false);
      await bed.gone();
    },
  );
});

describe('a tool that stands still', () => {
  it('ends the attempt, although ffmpeg goes on printing progress', async () => {
    await bed.start({ stallMs: 2_000 });
    const job = await bed.encoding(long);
    process.kill(await victim('first', 'packager'), 'SIGSTOP');
    process.kill(await victim('rest', 'packager'), 'SIGSTOP');
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'stalled', retryable: true } });
    await bed.gone();
  });
});

describe('a disk without room', () => {
  it('is noticed before the download', async () => {
    const job = bed.edge.addJob(short);
    job.size = 2 ** 52;
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'no_space', retryable: true } });
    expect(job.ranges).toEqual([]);
  });

  it('in the middle, where the kernel refuses the encoder a write, is told as such', async () => {
    const redirect = 'for a do shift; case "$a" in *.nut) a=/dev/full ;; esac; set -- "$@" "$a"; done';
    const ffmpeg = await bed.clips.script('full', `${redirect}\nexec '${bed.clips.binaries.ffmpeg}' "$@"`);
    await bed.start({}, { ...bed.clips.binaries, ffmpeg });
    const job = bed.edge.addJob(short);
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject({ error: { code: 'no_space', retryable: true } });
    await bed.gone();
  });
});
