/** The settings of the service, from the environment. An empty value is as good as none. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { Refusal } from './main.ts';
import { keptByNpm } from './npm.ts';
import { stateDir } from './paths.mjs';

const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(min).max(max));

/** Variables of `npm start` and `npm run demo`; those of a transcoder are handed on to it. */
export const Environment = z.object({
  PORT: wholeNumber(1, 65_535).default(8787).describe('The port of the edge.'),
  HOST: z
    .union([z.ipv4(), z.ipv6(), z.literal('localhost')])
    .default('127.0.0.1')
    .describe('The address to listen on: `127.0.0.1` is this machine only, `0.0.0.0` every network.'),
  TRANSCODERS: wholeNumber(0, 64).default(1).describe('How many transcoders are started, 0 to 64.'),
  STATE_DIR: z
    .string()
    .optional()
    .describe('Where jobs, keys and videos are kept; one service at a time holds it. Default: `.wrangler/state`.'),
});

export interface Settings {
  port: number;
  host: string;
  transcoders: number;
  /** Absolute. */
  stateDir: string;
  /** Absolute; `null`: a temporary folder of ours. */
  workDir: string | null;
  /** Where this machine reaches the edge. */
  origin: string;
  /** What people open. */
  address: string;
}

/** How the settings are given to a command. */
export const asVariables = (command: string): string =>
  `Settings are variables: PORT=9000 ${command} (${Object.keys(Environment.shape).join(', ')}).`;

/** `args` are none of the command's, nor is what npm has kept. */
export function refuseOptions(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): void {
  const options = Object.keys(Environment.shape).map((name) => name.toLowerCase().replace('_', '-'));
  const [given] = [...keptByNpm(options, env), ...args];
  if (given !== undefined) throw new Refusal(`${command} has no "${given}". ${asVariables(command)}`, 2);
}

/** `npm start` with the settings that lead to the same jobs. */
export function startCommand(env: NodeJS.ProcessEnv = process.env): string {
  const settings = ['PORT', 'HOST', 'STATE_DIR'].flatMap((name) => (env[name] ? [`${name}=${env[name]}`] : []));
  return [...settings, 'npm start'].join(' ');
}

export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const { PORT, HOST, TRANSCODERS } = Environment.shape;
  const read = <T>(name: string, schema: z.ZodType<T>, must: string): T => {
    const result = schema.safeParse(env[name] || undefined);
    if (result.success) return result.data;
    throw new Refusal(`${name} must be ${must}; it is "${env[name]}".`, 2);
  };
  const port = read('PORT', PORT, 'a whole number from 1 to 65535');
  const transcoders = read('TRANSCODERS', TRANSCODERS, 'a whole number from 0 to 64');
  const host = read('HOST', HOST, 'an IP address to listen on, such as 127.0.0.1 (only this machine) or 0.0.0.0 (all)');
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return {
    port,
    host,
    transcoders,
    stateDir: stateDir(env),
    workDir: env.WORK_DIR ? resolve(env.INIT_CWD ?? '.', env.WORK_DIR) : null,
    origin: `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`,
    address: `http://localhost:${port}`,
  };
}
