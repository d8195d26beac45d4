/** Programs in a process group of their own, which is ended as a whole. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const LIMIT_MS = 45_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly ended: Promise<Ended>;
  end(): void;
}

interface Where {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

export function launch(program: string, args: readonly string[], { cwd, env }: Where): Running {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const all = [text(child.stdout), text(child.stderr), once(child, 'close')] as const;
  return {
    ended: Promise.all(all).then(([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr })),
    end() {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {}
    },
  };
}

/** To its end, or to that of its time; what it has left running ends with it. */
export async function execute(program: string, args: readonly string[], where: Where): Promise<Ended> {
  const running = launch(program, args, where);
  const limit = setTimeout(running.end, LIMIT_MS);
  try {
    return await running.ended;
  } finally {
    clearTimeout(limit);
    running.end();
  }
}
