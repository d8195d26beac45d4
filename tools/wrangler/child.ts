/** wrangler as a child: its answer, or a refusal that says what went wrong. It asks no questions: it has no terminal. */
import { execa } from 'execa';
import { z } from 'zod';
import { Refusal } from '../main.ts';
import { ROOT } from '../paths.mjs';
import { refusalOf } from './advice.ts';
import { QUIET, WRANGLER } from './program.ts';

export class Wrangler {
  readonly #env: string;
  readonly #stop: AbortSignal;
  readonly #account: string | undefined;

  /** `env`: of wrangler.toml; empty: its top level. `account`: the id of the account that is meant. */
  constructor(env: string, stop: AbortSignal, account?: string) {
    this.#env = env;
    this.#stop = stop;
    this.#account = account;
  }

  /** Its standard output. `tried`: how a refusal calls it. */
  async run(
    args: readonly string[],
    environment: Record<string, string> = {},
    tried = `\`${this.command(args)}\``,
  ): Promise<string> {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [WRANGLER, ...this.#inEnv(args)], {
      ...({ cwd: ROOT, stdin: 'ignore', reject: false, cancelSignal: this.#stop } as const),
      env: { ...QUIET, CI: 'true', ...(this.#account && { CLOUDFLARE_ACCOUNT_ID: this.#account }), ...environment },
    });
    this.#stop.throwIfAborted();
    if (exitCode === 0) return stdout;
    throw refusalOf(tried, plain(Failure.safeParse(stdout).data ?? (stderr || stdout)));
  }

  async json<T>(schema: z.ZodType<T>, args: readonly string[]): Promise<T> {
    return fromJson(schema, await this.run(args));
  }

  /** As people would type it. */
  command(args: readonly string[]): string {
    return ['npx wrangler', ...this.#inEnv(args)].join(' ');
  }

  #inEnv(args: readonly string[]): string[] {
    return [...args, `--env=${this.#env}`];
  }
}

const Json = z.string().transform((json, context): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    context.addIssue('it is no JSON');
    return z.NEVER;
  }
});

export function fromJson<T>(schema: z.ZodType<T>, text: string): T {
  const { success, data, error } = Json.pipe(schema).safeParse(text);
  if (success) return data;
  throw new Refusal(
    `wrangler answered something else than this tool expects: ${z.prettifyError(error)}\n` +
      'Is it of the version that package-lock.json names? `npm ci` puts it back.',
  );
}

/** With `--json` it is on standard output, and only warnings are on the other one. */
const Text = z.object({ text: z.string() });
const Failure = Json.pipe(z.object({ error: Text.extend({ notes: z.array(Text).default([]) }) })).transform(
  ({ error }) => [error, ...error.notes].map(({ text }) => text).join('\n'),
);

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** wrangler's words from its error on, without colours, and without its invitation to report a bug of its own. */
function plain(text: string): string {
  const lines = text
    .replace(ESCAPES, '')
    .split('\n')
    .map((line) => line.trim());
  const error = lines.findIndex((line) => line.includes('[ERROR]'));
  return lines
    .slice(Math.max(error, 0))
    .filter((line) => line !== '' && !/think this is a bug|issues\/new/.test(line))
    .map((line) => `  ${line}`)
    .join('\n');
}
