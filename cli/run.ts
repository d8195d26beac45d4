/** Runs the command that was asked for; what goes wrong is told on stderr. */
import { type Command, CommanderError } from 'commander';
import { refuseKept } from '../tools/npm.ts';
import { EXIT, tell, usage } from './failure.ts';
import { program } from './program.ts';

/** The exit code. Throws when it was stopped, and for mistakes in this program. */
export async function run(args: readonly string[], stop: AbortSignal): Promise<number> {
  let exitCode: number = EXIT.ok;
  const reelwire = program(stop, (code) => {
    exitCode = code;
  });
  try {
    for (const script of ['reelwire', 'keys']) refuseKept(script, optionsOf(reelwire));
    await reelwire.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const { url, json = false } = reelwire.opts<{ url: string; json?: boolean }>();
    return tell(error instanceof CommanderError ? usage(error) : error, { url, json });
  }
}

/** Of the command and all below it, without dashes. */
const optionsOf = ({ options, commands }: Command): string[] => [
  ...new Set([...options.map((option) => option.name()), ...commands.flatMap(optionsOf)]),
];
