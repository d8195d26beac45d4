/**
 * Runs a tool to its end. Aborting the signal kills it with SIGKILL, because a busy ffmpeg takes seconds to notice
 * SIGTERM. On Linux `setpriv --pdeathsig` has the kernel kill it too when this process is killed without a chance to
 * clean up. TMPDIR is the working folder: Shaka Packager writes its playlists there first and renames them, which
 * works only within one file system. Error output is kept to the last STDERR_BYTES, for the log only. Extra pipes (fd
 * 3 and up) are read line by line. Never rejects: how it ended is in the answer.
 */
import { execa } from 'execa';
import { STDERR_BYTES } from '../limits.ts';

export interface Run {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly env?: Record<string, string>;
  readonly nice?: number;
  readonly timeoutMs?: number;
  readonly onComplaint?: (line: string) => void;
  /** Called with each line of fd 3, 4, ... */
  readonly lines?: ReadonlyArray<(line: string) => void>;
}

export interface Ended {
  readonly ok: boolean;
  /** Killed because the signal aborted. */
  readonly aborted: boolean;
  /** For the log: `exit 1`, `SIGKILL`, or why it did not start. */
  readonly how: string;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(spec: Run): Promise<Ended> {
  const [file, ...args] = [
    ...(await guard()),
    ...(spec.nice ? ['nice', '-n', String(spec.nice)] : []),
    spec.file,
    ...spec.args,
  ];
  const stderr = new Tail();
  const complain = (line: string) => {
    stderr.add(line);
    spec.onComplaint?.(line);
  };
  const listen = (onLine: (line: string) => void) =>
    function* (line: unknown): Generator<never, void, void> {
      onLine(String(line));
      yield* [];
    };
  const result = await execa(file ?? spec.file, args, {
    cwd: spec.cwd,
    env: { PATH: process.env.PATH, HOME: spec.cwd, TMPDIR: spec.cwd, ...spec.env },
    extendEnv: false,
    stdio: ['ignore', 'pipe', listen(complain), ...(spec.lines ?? []).map(listen)],
    maxBuffer: 8 * 1024 * 1024,
    cancelSignal: spec.signal,
    killSignal: 'SIGKILL',
    timeout: spec.timeoutMs ?? 0,
    reject: false,
  });
  return {
    ok: !result.failed,
    aborted: spec.signal.aborted,
    how: result.signal ?? (result.exitCode === undefined ? (result.code ?? 'not started') : `exit ${result.exitCode}`),
    stdout: typeof result.stdout === 'string' ? result.stdout : '',
    stderr: stderr.text,
  };
}

const PDEATHSIG = ['setpriv', '--pdeathsig', 'KILL', '--'];
let guarded: Promise<string[]> | undefined;

/** The wrapper that ties a child's life to ours, or nothing where util-linux's setpriv is not at hand. */
function guard(): Promise<string[]> {
  guarded ??= execa('setpriv', [...PDEATHSIG.slice(1), 'true'], { reject: false, stdio: 'ignore' }).then((result) =>
    result.failed ? [] : PDEATHSIG,
  );
  return guarded;
}

class Tail {
  #lines: string[] = [];
  #bytes = 0;

  add(line: string): void {
    this.#lines.push(line.slice(0, 1024));
    this.#bytes += line.length;
    while (this.#bytes > STDERR_BYTES && this.#lines.length > 1) this.#bytes -= this.#lines.shift()?.length ?? 0;
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}
