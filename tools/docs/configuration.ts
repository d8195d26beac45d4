/** The reference of all settings, from the schemas that read them. */
import { z } from 'zod';
import { EdgeAccess, EdgeSettings } from '../../src/contract/settings.ts';
import { Environment as TranscoderEnvironment } from '../../transcoder-node/config.ts';
import { Environment as ServiceEnvironment } from '../settings.ts';
import { code, page, table } from './markdown.ts';

export const configuration = (): string =>
  page(
    '# Configuration',
    'All settings are variables of the environment. This page is made by `npm run docs`.',
    '## The edge',
    'Put settings into `[vars]` of `wrangler.toml` (`[env.production.vars]` when deployed), or into `.dev.vars` for `npm start`, `npm run demo` and `wrangler dev`. The first two also read `.dev.vars.local`, which git leaves alone. They hold from the next start on. One that cannot be used makes every request that needs it fail, and the log names it.',
    settings(EdgeSettings),
    '## Secrets and access',
    'Secrets are set with `npx wrangler secret put NAME --env production` ([access](../access.md)). An empty one is as good as none.',
    settings(EdgeAccess),
    'How often one may ask stands in `wrangler.toml`: `REQUEST_LIMIT`, `SIGN_IN_LIMIT` ([limits](../access.md#limits)).',
    '## `npm start` and `npm run demo`',
    'An empty one is as good as none.',
    settings(ServiceEnvironment),
    '## A transcoder',
    '`npm start` and `npm run demo` hand those about the machine on to theirs (`WORK_DIR`, the paths, `VMAF_FLOOR`) and say the others themselves. An empty one is as good as none. Options of the command: [transcoders](../transcoder.md).',
    settings(TranscoderEnvironment),
  );

function settings({ shape }: z.ZodObject): string {
  const rows = Object.entries(shape).map(([name, schema]) => {
    if (!(schema instanceof z.ZodType)) throw new Error(`${name} has no schema`);
    if (!schema.description) throw new Error(`${name} has no description: add .describe() where it is defined`);
    return [code(name), defaultOf(schema), limitsOf(schema), schema.description];
  });
  return table(['variable', 'default', 'limits', 'what it is for'], rows);
}

/** What the schema makes of a variable that is not set. */
function defaultOf(schema: z.ZodType): string {
  const value = schema.parse(undefined);
  return value === undefined || value === false ? '' : code(String(value));
}

function limitsOf(schema: z.ZodType): string {
  const { minimum, maximum } = z.toJSONSchema(schema, { unrepresentable: 'any' });
  if (minimum === undefined) return '';
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `${minimum} to ${maximum}`;
}
