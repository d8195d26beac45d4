/** `npm start` as people run it: it comes up, keeps its children up, and leaves nothing behind however it ends. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { askHealth, VERSION } from '../../tools/health.ts';
import { Service } from '../../tools/service.ts';
import { readSettings } from '../../tools/settings.ts';
import { Clips, QUICK, testPicture } from '../transcoder/clips.ts';
import { Commands, edgeOf, transcoderOf } from './commands.ts';
import type { Running } from './running.ts';

const LONG = process.env.REELWIRE_LONG === '1';

describe.skipIf(process.platform !== 'linux')('npm start, again and again on one folder', { timeout: 120_000 }, () => {
  const commands = new Commands('all');
  let last: Running | null = null;

  async function ready(start: Running): Promise<Running> {
    last = start;
    await commands.ready(start);
    return start;
  }
  /** The one that the test before has left running. */
  const running = async (): Promise<Running> => (last?.find('workerd serve') ? last : ready(commands.run('start.ts')));

  /** Another one on the same port, in this process. */
  function service(folder: string): Promise<Service> {
    const env = { PORT: String(commands.port), STATE_DIR: join(commands.folder, folder) };
    return Service.open(readSettings(env), { deathsAllowed: { edge: 0, transcoder: 0 }, say: () => undefined });
  }

  it('comes up with a transcoder, and refuses a second one beside it', async () => {
    const start = await running();
    expect(await askHealth(commands.origin)).toMatchObject({
      version: VERSION,
      transcoders: { online: 1 },
    });
    expect(start.find('workerd serve')).toBeDefined();
    expect(start.find('transcoder-node/main.ts')).toBeDefined();

    await expect(service('state')).rejects.toThrow(/uses .*state.*PORT and STATE_DIR/);
    const beside = await service('other');
    const already = `A Reelwire already answers at http://localhost:${commands.port}`;
    await expect(beside.start(new AbortController().signal)).rejects.toThrow(already);
    await beside.stop();
  });

  it('starts children again that die', async () => {
    const start = await running();
    const transcoder = await transcoderOf(start);
    process.kill(transcoder.pid, 'SIGKILL');
    await start.until('another transcoder', () => {
      const now = start.find('transcoder-node/main.ts');
      return now !== undefined && now.pid !== transcoder.pid;
    });
    const edge = await edgeOf(start);
    process.kill(edge.pid, 'SIGKILL');
    await start.until('another edge', async () => {
      const now = start.find('wrangler/bin/wrangler.js');
      return now !== undefined && now.pid !== edge.pid && (await askHealth(commands.origin)) !== null;
    });
  });

  it('takes its children along when it is killed, and can be started again', async () => {
    const start = await running();
    start.send('SIGKILL');
    await start.until('no process left', () => start.processes().length === 0, 10_000);
    const left = start.folders();
    expect(left).toHaveLength(1);

    await ready(commands.run('start.ts', [], { TMPDIR: start.tmp }));
    expect(start.folders()).toHaveLength(1);
    expect(start.folders()).not.toEqual(left);
  });

  it('finds the processes that are left when all of its Node processes are killed at once', async () => {
    const start = await running();
    const nodes = start.processes().filter(({ command }) => command.includes('/node '));
    for (const { pid } of nodes) process.kill(pid, 'SIGSTOP');
    for (const { pid } of nodes) process.kill(pid, 'SIGKILL');
    await start.exit;
    expect(start.find('workerd serve'), 'nothing left to find').toBeDefined();

    await ready(commands.npm('start'));
    expect(start.processes()).toEqual([]);
  });

  it('is joined by a demo, which fails with the code of its job where it must, and leaves it running', async () => {
    const clips = await Clips.open();
    const file = await clips.make('ours.mp4', ...testPicture('128x96', '25', 1), ...QUICK);
    await running();
    const demo = commands.run('demo.ts', [file]);
    expect(await demo.exit, demo.stderr).toBe(0);
    const [hls = '', page = ''] = demo.stdout.trimEnd().split('\n').slice(-2);
    const job = /^Job (\S+)$/m.exec(demo.stdout)?.[1];
    const address = `http://localhost:${commands.port}/jobs/${job}`;
    expect([hls, page]).toEqual([`For players: ${address}/outputs/master.m3u8`, `Watch it: ${address}`]);
    const asBrowser = { headers: { Accept: 'text/html' } };
    expect((await fetch(address, asBrowser)).headers.get('content-type')).toContain('text/html');
    expect(demo.processes()).toEqual([]);

    const failing = commands.run('demo.ts', ['package.json']);
    expect(await failing.exit).toBe(1);
    expect(failing.stderr).toMatch(/The job failed: .*\((not_media|no_video)\)/);
    expect(await askHealth(commands.origin)).not.toBeNull();
    await clips.close();
  });

  it('ends every child on SIGTERM', async () => {
    const start = await running();
    start.send('SIGTERM');
    expect(await start.exit).toBe(0);
    await commands.nothingIsLeft(start);
  });
});

describe.skipIf(process.platform !== 'linux')('npm start', { timeout: 120_000 }, () => {
  const commands = new Commands();

  it('ends when the npm that started it is killed, though it is not ready yet', async () => {
    const start = commands.npm('start');
    await edgeOf(start);
    start.send('SIGKILL');
    await start.until('no process left', () => start.processes().length === 0, 15_000);
  });

  it.runIf(LONG)('ends every child on SIGINT', async () => {
    const start = commands.run('start.ts');
    await commands.ready(start);
    start.send('SIGINT');
    expect(await start.exit).toBe(0);
    await commands.nothingIsLeft(start);
  });

  it('says so when another program has the port', async () => {
    const other = createServer().listen(commands.port, '127.0.0.1');
    await once(other, 'listening');
    const start = commands.run('start.ts');
    expect(await start.exit).toBe(1);
    expect(start.stderr).toContain(`Port ${commands.port} is used by another program. Choose another: PORT=`);
    other.close();
    await start.until('no process left', () => start.processes().length === 0);
  });
});
