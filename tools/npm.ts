/**
 * Options that npm has kept: what stands before `--` is for npm itself, and a script sees of it an environment variable
 * at most. What it does not know it reads letter by letter, if it knows each of them: `--plan` as `-p -l -a -n`.
 */
import { Refusal } from './main.ts';

/** Names of its own too, which people may have set for all that npm does. */
const OF_NPM = ['json', 'key', 'version'];

const LETTERS: Readonly<Record<string, string>> = { plan: 'parseable long all' };

/** Which of these options, as `--name`, npm has kept. */
export function keptByNpm(options: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const isSet = (name: string): boolean => Boolean(env[`npm_config_${name}`]);
  const isKept = (name: string): boolean =>
    isSet(name.replaceAll('-', '_')) || (LETTERS[name]?.split(' ').every(isSet) ?? false);
  return options.filter((name) => !OF_NPM.includes(name) && isKept(name)).map((name) => `--${name}`);
}

/** Refuses when npm, asked to run `script`, has kept one of its options, so that it never does less or more than was meant. */
export function refuseKept(script: string, options: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  if (env.npm_lifecycle_event !== script) return;
  const kept = keptByNpm(options, env);
  if (kept.length === 0) return;
  throw new Refusal(
    `npm has kept ${kept.join(' and ')} for itself. Nothing was done. Put -- before the options: npm run ${script} -- ${kept.join(' ')}`,
    2,
  );
}
