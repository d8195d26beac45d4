/** `npm start` as people run it: it comes up, keeps its children up, and leaves nothing behind however it ends. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { askHealth, VERSION } from '../../tools/health.ts';
import { Commands, edgeOf, transcoderOf } from './commands.ts';

describe.skipIf(process.platform !== 'linux')('npm start', { timeout: 120_000 }, () => {
  const commands = new Commands();

  it('comes up with a transcoder, refuses a second one beside it, and ends every child on SIGTERM', async () => {
    const start = commands.npm('start');
    await commands.ready(start);
    expect(await askHealth(commands.origin)).toMatchObject({
      version: VERSION,
      transcoders: { online: 1 },
    });
    expect(start.find('workerd serve')).toBeDefined();
    expect(start.find('transcoder-node/main.ts')).toBeDefined();

    const second = commands.run('start.ts');
    expect(await second.exit).toBe(1);
    expect(second.stderr).toMatch(/uses .*state.*PORT and STATE_DIR/);
    const beside = commands.run('start.ts', [], { STATE_DIR: join(commands.folder, 'other') });
    expect(await beside.exit).toBe(1);
    expect(beside.stderr).toContain(`A Reelwire already answers at http://localhost:${commands.port}`);

    start.send('SIGTERM');
    expect(await start.exit).toBe(0);
    await commands.nothingIsLeft(start);
  });

  it('starts children again that die', async () => {
    const start = commands.run('start.ts');
    await commands.ready(start);
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
    start.send('SIGINT');
    expect(await start.exit).toBe(0);
    await commands.nothingIsLeft(start);
  });

  it('takes its children along when it is killed, and can be started again', async () => {
    const start = commands.run('start.ts');
    await commands.ready(start);
    start.send('SIGKILL');
    await start.until('no process left', () => start.processes().length === 0, 10_000);
    const left = start.folders();
    expect(left).toHaveLength(1);

    const next = commands.run('start.ts', [], { TMPDIR: start.tmp });
    await commands.ready(next);
    expect(start.folders()).toHaveLength(1);
    expect(start.folders()).not.toEqual(left);
    next.send('SIGTERM');
    expect(await next.exit).toBe(0);
    await commands.nothingIsLeft(next);
  });

  it('ends when the npm that started it is killed', async () => {
    const start = commands.npm('start');
    await commands.ready(start);
    start.send('SIGKILL');
    await start.until('no process left', () => start.processes().length === 0, 15_000);
  });

  it('finds the processes that are left when all of its Node processes are killed at once', async () => {
    const start = commands.run('start.ts');
    await commands.ready(start);
    const nodes = start.processes().filter(({ command }) => command.includes('/node '));
    for (const { pid } of nodes) process.kill(pid, 'SIGSTOP');
    for (const { pid } of nodes) process.kill(pid, 'SIGKILL');
    await start.exit;
    expect(start.find('workerd serve'), 'nothing left to find').toBeDefined();

    const next = commands.run('start.ts');
    await commands.ready(next);
    expect(start.processes()).toEqual([]);
    next.send('SIGTERM');
    expect(await next.exit).toBe(0);
    await commands.nothingIsLeft(next);
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
