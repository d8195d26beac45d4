/** `npm run demo` as people run it: it does the job, and leaves nothing behind however it ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Clips, QUICK, testPicture } from '../transcoder/clips.ts';
import { Commands, edgeOf, transcoderOf } from './commands.ts';
import type { Running } from './running.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const TERM: ['SIGTERM', number][] = [['SIGTERM', 143]];

describe.skipIf(process.platform !== 'linux')('npm run demo', { timeout: 120_000 }, () => {
  const commands = new Commands();
  let clips: Clips;
  /** The demo of a video that takes long. */
  const long = () => commands.run('demo.ts', [clips.path('long.mp4'), '--json']);
  beforeAll(async () => {
    clips = await Clips.open();
    await clips.long();
    await clips.make('small.mp4', ...testPicture('128x96', '25', 1), ...QUICK);
  });
  afterAll(() => clips?.close());
  const transcoding = (running: Running) =>
    running.until('transcoding', () => running.events().some(({ data }) => data?.stage === 'transcoding'), 60_000);

  it('completes a job, prints JSON lines and nothing else, and leaves nothing behind', async () => {
    const file = LONG ? [] : [clips.path('small.mp4')];
    const demo = commands.run('demo.ts', [...file, '--json']);
    expect(await demo.exit, demo.stderr).toBe(0);
    const events = demo.events();
    expect(events[0]).toMatchObject({ event: 'status', data: { progress: expect.any(Number) } });
    const ids = events.flatMap(({ id }) => (typeof id === 'number' ? [id] : []));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(events.slice(-3).map(({ event }) => event)).toEqual(['done', 'complete', 'summary']);
    expect(events.at(-3)?.id).toBeNull();
    expect(events.at(-1)).toEqual({
      event: 'summary',
      job_id: events[0]?.data.job_id,
      status: 'completed',
      playback: { hls: expect.stringMatching(/\.m3u8$/), dash: expect.stringMatching(/\.mpd$/) },
      seconds: expect.any(Number),
    });
    await commands.nothingIsLeft(demo);
  });

  it.each<['SIGINT' | 'SIGTERM', number]>([['SIGINT', 130], ...(LONG ? TERM : [])])(
    'makes a clip of its own, and ends with everything it started on %s',
    async (signal, code) => {
      const demo = commands.run('demo.ts', ['--json']);
      await transcoding(demo);
      await demo.until('ffmpeg', () => demo.find('ffmpeg'));
      demo.send(signal);
      expect(await demo.exit).toBe(code);
      await commands.nothingIsLeft(demo);
    },
  );

  it('says why and ends when its edge is killed', async () => {
    const demo = long();
    await transcoding(demo);
    process.kill((await edgeOf(demo)).pid, 'SIGKILL');
    expect(await demo.exit).toBe(1);
    expect(demo.stderr).toContain('The edge ended unexpectedly (SIGKILL)');
    await commands.nothingIsLeft(demo);
  });

  it.runIf(LONG)('goes on with the job when its transcoder is killed', async () => {
    const demo = commands.run('demo.ts', ['--json']);
    await transcoding(demo);
    process.kill((await transcoderOf(demo)).pid, 'SIGKILL');
    expect(await demo.exit, demo.stderr).toBe(0);
    expect(demo.stderr).toContain('The transcoder ended unexpectedly (SIGKILL); starting it again');
    await commands.nothingIsLeft(demo);
  });
});
