/**
 * A transcoder: finds its tools, then takes tasks from the queue until it is told to stop.
 *
 *   node transcoder-node/main.ts --edge URL [--slots N] [--once] [--metrics-port PORT]
 *   node transcoder-node/main.ts --check [--json]
 *
 * `--once` ends when the queues are empty and all tasks are over: with 0, or with 1 when a task failed or a queue was
 * out of reach. `--check` only says what is here and what is missing, and ends with 0 or 1. A command line, a setting
 * or tools that cannot be used are told in plain words, and end it with 2.
 * SIGTERM, SIGINT, or the end of the parent it was spawned by with an IPC channel: everything is aborted through one
 * signal, tasks are released, folders removed, and the process ends with 0 within SHUTDOWN_MS. An edge that does not
 * speak this transcoder's protocol ends it in the same way, but with 1.
 */
import { pino } from 'pino';
import { inWords } from './check.ts';
import { ConfigError, HELP, readConfig } from './config.ts';
import { Dispatcher } from './dispatcher.ts';
import { EdgeClient } from './edge/client.ts';
import { Fleet, transcoderName } from './edge/fleet.ts';
import { Queue } from './edge/queue.ts';
import { NotUnderstood, ShuttingDown } from './errors.ts';
import { SHUTDOWN_MS, STALL_MS } from './limits.ts';
import { examine, required, ToolsMissing } from './media/capabilities.ts';
import { serveStatus } from './status.ts';
import { openWorkFolder } from './task/folders.ts';
import { runTask } from './task/task.ts';

const log = pino({ base: null }, pino.destination({ fd: 2, sync: true }));
const shutdown = new AbortController();

for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
  process.on(event, () => {
    if (shutdown.signal.aborted) return;
    log.info({ event }, 'shutting down');
    shutDown(new ShuttingDown('this transcoder is shutting down'));
  });
}

try {
  process.exit(await main(shutdown.signal));
} catch (error) {
  const isUnusable = error instanceof ConfigError || error instanceof ToolsMissing;
  if (isUnusable) process.stderr.write(`${error.message}\n`);
  else if (!shutdown.signal.aborted) log.fatal({ err: error }, 'the transcoder ended');
  process.exit(shutdown.signal.aborted ? exitCode() : isUnusable ? 2 : 1);
}

function shutDown(reason: ShuttingDown): void {
  if (shutdown.signal.aborted) return;
  setTimeout(() => process.exit(exitCode()), SHUTDOWN_MS).unref();
  shutdown.abort(reason);
}

function notUnderstood(why: NotUnderstood): void {
  if (!shutdown.signal.aborted) log.fatal(why.message);
  shutDown(why);
}

function exitCode(): 0 | 1 {
  return shutdown.signal.reason instanceof NotUnderstood ? 1 : 0;
}

async function main(signal: AbortSignal): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const config = readConfig(args, process.env);
  const workFolder = await openWorkFolder(config.workDir);
  try {
    const machine = await examine(config.paths, workFolder.path, signal);
    if (config.check) {
      process.stdout.write(config.json ? `${JSON.stringify(machine)}\n` : inWords(machine, config));
      return machine.problems.length > 0 ? 1 : 0;
    }
    const settings = { vmafFloor: config.vmafFloor, stallMs: STALL_MS };
    const parts = {
      binaries: required(machine),
      libvmaf: machine.parts.libvmaf,
      workFolder: workFolder.path,
      settings,
    };
    const status = config.status && (await serveStatus(config.status, workFolder.path));
    const name = transcoderName();
    const edge = new EdgeClient(config.edge, config.token, notUnderstood);
    const fleet = new Fleet(edge, { transcoder: name, slots: config.slots }, log);
    const dispatcher = new Dispatcher({
      ...{ edge, fleet, name, log },
      queue: new Queue(config.queue),
      ...{ slots: config.slots, once: config.once },
      runTask: (lease, taskLog) => runTask(parts, lease, taskLog),
    });
    if (status) {
      status.obstacles = () => [
        ...(signal.aborted ? ['this transcoder is shutting down'] : []),
        ...dispatcher.silentQueues.map((queue) => `the queue ${queue} does not answer`),
        ...(fleet.isKnown ? [] : ['the edge does not answer']),
      ];
    }
    const where = status && { metrics_port: status.port };
    log.info({ transcoder: name, edge: config.edge, slots: config.slots, ...where, ...machine }, 'ready');
    await dispatcher.run(signal);
    await fleet.goodbye();
    await status?.close();
    if (!config.once || signal.aborted) return exitCode();
    log.info({ failures: dispatcher.failures }, 'nothing is left to do');
    return dispatcher.failures > 0 ? 1 : 0;
  } finally {
    await workFolder.remove();
  }
}
