/** The processes of a benchmark: a server and a load generator, started for one case and ended after it. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../tools/paths.mjs';
import type { Case } from './cases.ts';
import type { Kind } from './channels.ts';
import type { Task } from './generator.ts';
import { Measured } from './load.ts';
import { Ready } from './servers/lifetime.ts';

/** The Worker as it would be deployed, into `folder`. */
export async function bundleWorker(folder: string): Promise<void> {
  const wrangler = join(ROOT, 'node_modules/.bin/wrangler');
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' };
  await promisify(execFile)(wrangler, ['deploy', '--dry-run', '--outdir', folder], { cwd: ROOT, env });
}

/** Starts a server of bench, hands over its port and its process id, and ends it. */
export async function withServer<T>(
  script: string,
  args: string[],
  use: (server: { port: number; pid: number }) => Promise<T>,
): Promise<T> {
  const server = fork(join(ROOT, 'bench', script), args, { stdio: STDIO });
  try {
    const { port } = Ready.parse(await message(server));
    return await use({ port, pid: server.pid ?? 0 });
  } finally {
    await end(server);
  }
}

/** Does the case to a server of its own. */
export function measureCase(kind: Kind, one: Case, bundle: string): Promise<Measured> {
  return withServer(`stream/servers/${kind}.ts`, [bundle], async (server) => {
    const task: Task = { case: one.name, kind, ...server };
    const generator = fork(join(import.meta.dirname, 'generator.ts'), [JSON.stringify(task)], { stdio: STDIO });
    try {
      return Measured.parse(await message(generator));
    } finally {
      await end(generator);
    }
  });
}

const STDIO = ['ignore', 'ignore', 'inherit', 'ipc'] as const satisfies unknown[];

/** The first message of a child; an error if it ends without one. */
async function message(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  try {
    const exit = once(child, 'exit', { signal: over.signal }).then(([code]: unknown[]) => {
      throw new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code} before it was done`);
    });
    const [got] = await Promise.race([once(child, 'message', { signal: over.signal }), exit]);
    return got;
  } finally {
    over.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  await exited;
}
