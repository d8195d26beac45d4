/** What the operator chose: command line first, then environment, then defaults that fit a local edge. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { toError } from './errors.ts';
import { VMAF_FLOOR } from './limits.ts';

const Text = z
  .string()
  .optional()
  .transform((value) => value || undefined);
const EdgeUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https address: http://localhost:8787' });
const number = (of: z.ZodNumber, min: number, max: number, must: string) =>
  z.coerce.number(must).pipe(of.refine((value) => value >= min && value <= max, must));
const whole = (min: number, max: number) => {
  const must = `must be a whole number from ${min} to ${max}`;
  return number(z.int(must), min, max, must);
};
const Score = number(z.number(), 0, 100, 'must be a number from 0 to 100');
const Port = whole(0, 65_535);
const Slots = whole(1, 64);

const USAGE = 'Usage: npm run transcoder -- [--edge URL] [--slots N] [--once] [--metrics-port PORT] [--check [--json]]';

export const HELP = `${USAGE}

  --edge URL           the edge; default: EDGE_URL, or http://127.0.0.1:8787
  --slots N            tasks side by side, 1 to 64; default 1
  --once               do what is in the queues and what comes meanwhile, then end
  --metrics-port PORT  serve /metrics, /health and /ready there; default: METRICS_PORT, or nowhere
  --check              say what this machine can do and what is missing, then end; --json: for programs

An edge that has a TRANSCODER_TOKEN asks for the same one here, as a variable. All variables: docs/transcoder.md.
`;

/** Without `--edge`, `--slots` and the like, which go before it. */
export const Environment = z.object({
  EDGE_URL: Text.describe('The address of the edge. Default: `http://127.0.0.1:8787`.'),
  TRANSCODER_TOKEN: Text.describe('Secret. The one that the edge knows under the same name.'),
  CLOUDFLARE_ACCOUNT_ID: Text.describe(
    "The account of a queue at Cloudflare. It goes together with the next two; without them the edge's own queue is pulled.",
  ),
  CLOUDFLARE_API_TOKEN: Text.describe('Secret. May edit queues.'),
  QUEUE_ID: Text.describe('The id of the queue `reelwire-transcode`.'),
  QUEUE_ID_HIGH: Text.describe(
    'The id of the queue for jobs with `priority: high`. Without it they are not pulled here.',
  ),
  WORK_DIR: Text.describe(
    "Where sources and segments lie while they are worked on. Default: the system's folder for temporary files.",
  ),
  FFMPEG_PATH: Text.describe('Another ffmpeg than the one that came with the install, or is on the PATH.'),
  FFPROBE_PATH: Text.describe('Another ffprobe, likewise.'),
  PACKAGER_PATH: Text.describe('Another Shaka Packager, likewise.'),
  VMAF_FLOOR: Text.describe(
    `Mean VMAF (0 to 100) of the best rendition below which a job gets the warning \`low_quality\`. Default: ${VMAF_FLOOR}.`,
  ),
  METRICS_PORT: Text.describe('Serves `/metrics`, `/health` and `/ready` at this port. Default: nowhere.'),
  METRICS_HOST: Text.describe('The address at which they are served. Default: `127.0.0.1`, this machine alone.'),
});
type Env = z.infer<typeof Environment>;

/** Where messages come from. `baseUrl` null is Cloudflare's own API. */
export interface QueueAddress {
  readonly baseUrl: string | null;
  readonly account: string;
  /** Ids, in the order in which they are asked. */
  readonly queues: readonly string[];
  readonly token: string;
}

/** Where `/metrics`, `/health` and `/ready` are served; port 0 is any that is free. */
export interface StatusAddress {
  readonly host: string;
  readonly port: number;
}

export interface Config {
  /** Without a slash at its end. */
  readonly edge: string;
  readonly token: string | undefined;
  /** How many tasks run side by side. */
  readonly slots: number;
  /** Say what is here and what is missing, and end. */
  readonly check: boolean;
  /** Say it in JSON. */
  readonly json: boolean;
  /** Do what is in the queues, and end. */
  readonly once: boolean;
  readonly workDir: string;
  /** Mean VMAF of the best rendition below which a job gets the warning `low_quality`. */
  readonly vmafFloor: number;
  readonly paths: { readonly ffmpeg?: string; readonly ffprobe?: string; readonly packager?: string };
  readonly queue: QueueAddress;
  /** Null: not served. */
  readonly status: StatusAddress | null;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export function readConfig(args: readonly string[], environment: Record<string, string | undefined>): Config {
  const flags = readFlags(args);
  const env = Environment.parse(environment);
  const edge = check('--edge or EDGE_URL', EdgeUrl, flags.edge ?? env.EDGE_URL ?? 'http://127.0.0.1:8787');
  const base = edge.replace(/\/+$/, '');
  return {
    edge: base,
    token: env.TRANSCODER_TOKEN,
    slots: check('--slots', Slots, flags.slots ?? '1'),
    check: flags.check ?? false,
    json: flags.json ?? false,
    once: flags.once ?? false,
    workDir: env.WORK_DIR ?? tmpdir(),
    vmafFloor: check('VMAF_FLOOR', Score, env.VMAF_FLOOR ?? String(VMAF_FLOOR)),
    paths: {
      ...(env.FFMPEG_PATH && { ffmpeg: env.FFMPEG_PATH }),
      ...(env.FFPROBE_PATH && { ffprobe: env.FFPROBE_PATH }),
      ...(env.PACKAGER_PATH && { packager: env.PACKAGER_PATH }),
    },
    queue: queueAddress(base, env),
    status: statusAddress(flags['metrics-port'] ?? env.METRICS_PORT, env.METRICS_HOST),
  };
}

interface Flags {
  readonly edge?: string | undefined;
  readonly slots?: string | undefined;
  readonly check?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly once?: boolean | undefined;
  readonly 'metrics-port'?: string | undefined;
}

function readFlags(args: readonly string[]): Flags {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { edge: text, slots: text, check: flag, json: flag, once: flag, 'metrics-port': text };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [what] = toError(error).message.split('. ');
    throw new ConfigError(`${what}.\n${USAGE}`);
  }
}

function queueAddress(edge: string, env: Env): QueueAddress {
  const { CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_TOKEN: token, QUEUE_ID: queue, QUEUE_ID_HIGH: high } = env;
  if (account && token && queue) return { baseUrl: null, account, queues: high ? [high, queue] : [queue], token };
  if (account || token || queue || high) {
    throw new ConfigError(
      'CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN and QUEUE_ID go together, QUEUE_ID_HIGH only with them: set all or none.',
    );
  }
  return {
    baseUrl: `${edge}/client/v4`,
    account: 'local',
    queues: ['reelwire-transcode-high', 'reelwire-transcode'],
    token: env.TRANSCODER_TOKEN ?? 'local',
  };
}

function statusAddress(port: string | undefined, host = '127.0.0.1'): StatusAddress | null {
  return port === undefined ? null : { host, port: check('--metrics-port or METRICS_PORT', Port, port) };
}

function check<T>(name: string, schema: z.ZodType<T>, value: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`${name}: ${parsed.error.issues.map((issue) => issue.message).join(', ')}`);
}
