/** The `reelwire` command as a process. */
import { main } from '../tools/main.ts';
import { run } from './run.ts';

await main((stop) => run(process.argv.slice(2), stop));
