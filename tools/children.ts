/** How the two programs of the service are started: their arguments, their environment, what they may be forgiven. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { envFileArguments, transcoderToken } from './dev-vars.ts';
import type { Kept } from './keeper.ts';
import { ROOT } from './paths.mjs';
import type { Settings } from './settings.ts';
import { QUIET, WRANGLER } from './wrangler/program.ts';

type Fixed = Omit<Kept, 'deathsAllowed' | 'gaveUp' | 'say'>;

export function edge({ host, port, stateDir }: Settings): Fixed {
  return {
    name: 'The edge',
    args: [
      ...['--import', pathToFileURL(join(ROOT, 'tools', 'leash.mjs')).href],
      ...[WRANGLER, 'dev', '--ip', host, '--port', String(port)],
      ...['--persist-to', stateDir, '--inspector-port', '0', '--show-interactive-dev-session=false'],
      ...['--log-level', 'warn', ...envFileArguments()],
    ],
    cwd: ROOT,
    env: {
      ...localEnvironment(),
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      ...QUIET,
      WRANGLER_REGISTRY_PATH: join(stateDir, 'registry'),
    },
    logFile: join(stateDir, 'edge.log'),
    graceMs: 5000,
  };
}

export function transcoder({ origin, stateDir }: Settings, number: number, workDir: string): Fixed {
  return {
    name: number === 1 ? 'The transcoder' : `Transcoder ${number}`,
    args: [join(ROOT, 'transcoder-node', 'main.ts'), '--edge', origin],
    cwd: ROOT,
    env: { ...localEnvironment(), ...transcoderToken(), WORK_DIR: workDir, NO_COLOR: '1' },
    logFile: join(stateDir, `transcoder-${number}.log`),
    graceMs: 6000,
  };
}

/** Settings meant for a deployed edge (accounts, queues, tokens) must not reach a local one. */
function localEnvironment(): NodeJS.ProcessEnv {
  const deployed = /^(CLOUDFLARE_|WRANGLER_|CF_|EDGE_URL$|QUEUE_ID$|TRANSCODER_TOKEN$|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !deployed.test(name)));
}
