/** Runs the command that was asked for, and ends with its exit code. */
import { CommanderError } from 'commander';
import { main } from '../tools/main.ts';
import { EXIT, tell, usage } from './failure.ts';
import { program } from './program.ts';

await main(async (stop) => {
  let exitCode: number = EXIT.ok;
  const reelwire = program(stop, (code) => {
    exitCode = code;
  });
  try {
    await reelwire.parseAsync();
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const { url, json = false } = reelwire.opts<{ url: string; json?: boolean }>();
    return tell(error instanceof CommanderError ? usage(error) : error, { url, json });
  }
});
