/** `npm run demo` as people run it: it does the job, and leaves nothing behind however it ends. */
import { describe, expect, it } from 'vitest';
import { askHealth } from '../../tools/health.ts';
import { Clips, QUICK, testPicture } from '../transcoder/clips.ts';
import { Commands, edgeOf, transcoderOf } from './commands.ts';
import type { Running } from './running.ts';

const LONG = process.env.REELWIRE_LONG === '1';
const TERM: ['SIGTERM', number][] = [['SIGTERM', 143]];

describe.skipIf(process.platform !== 'linux')('npm run demo', { timeout: 120_000 }, () => {
  const commands = new Commands();
  const transcoding = (running: Running) =>
    running.until('transcoding', () => running.events().some(({ data }) => data?.stage === 'transcoding'), 60_000);

  it('completes a job, prints JSON lines and nothing else, and leaves nothing behind', async () => {
    const demo = commands.run('demo.ts', ['--json']);
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

  it('joins a running Reelwire, fails with the code of the job where it must, and leaves it running', async () => {
    const clips = await Clips.open();
    const file = await clips.make('ours.mp4', ...testPicture('320x240', '25', 2), ...QUICK);
    const start = commands.run('start.ts');
    await commands.ready(start);
    const demo = commands.run('demo.ts', [file]);
    expect(await demo.exit, demo.stderr).toBe(0);
    expect(demo.stdout.trimEnd().split('\n').at(-1)).toMatch(/^Watch it in a player: http:.*m3u8$/);
    expect(demo.processes()).toEqual([]);

    const failing = commands.run('demo.ts', ['package.json']);
    expect(await failing.exit).toBe(1);
    expect(failing.stderr).toMatch(/The job failed: .*\((not_media|no_video)\)/);
    expect(await askHealth(commands.origin)).not.toBeNull();
    start.send('SIGTERM');
    expect(await start.exit).toBe(0);
    await clips.close();
  });

  it.each<['SIGINT' | 'SIGTERM', number]>([['SIGINT', 130], ...(LONG ? TERM : [])])(
    'ends with everything it started on %s',
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
    const demo = commands.run('demo.ts', ['--json']);
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
