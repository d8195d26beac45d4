/** Runs the command that was asked for; what goes wrong is told on stderr. */
import { CommanderError } from 'commander';
import { EXIT, tell, usage } from './failure.ts';
import { program } from './program.ts';

/** The exit code. Throws when it was stopped, and for mistakes in this program. */
export async function run(args: readonly string[], stop: AbortSignal): Promise<number> {
  let exitCode: number = EXIT.ok;
  const reelwire = program(stop, (code) => {
    exitCode = code;
  });
  try {
    await reelwire.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const { url, json = false } = reelwire.opts<{ url: string; json?: boolean }>();
    return tell(error instanceof CommanderError ? usage(error) : error, { url, json });
  }
}
