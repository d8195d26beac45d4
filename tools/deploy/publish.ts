/**
 * Uploads the Worker, with the secrets it lacks. They lie in a file that only this user can read, in a folder of our
 * own that goes when wrangler is done.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Refusal } from '../main.ts';
import { makeScratch, removeScratch } from '../scratch.mjs';
import { fromJson, type Wrangler } from '../wrangler/child.ts';
import type { Secrets } from './secrets.ts';
import type { Wanted } from './wanted.ts';

/** wrangler's own record of what it did: a JSON object a line. */
const Line = z.union([
  z.object({ type: z.literal('deploy'), version_id: z.string().nullable(), targets: z.array(z.string()).optional() }),
  z.object({ type: z.string() }).transform(() => null),
]);

/** Arguments of wrangler. */
export const publishing = ({ domain }: Wanted, secretsFile: string | null): string[] => [
  'deploy',
  ...(domain === null ? [] : ['--domain', domain]),
  ...(secretsFile === null ? [] : ['--secrets-file', secretsFile]),
];

/** `address`: at workers.dev; null if it is not there. */
export async function publish(
  wanted: Wanted,
  secrets: Secrets,
  wrangler: Wrangler,
): Promise<{ version_id: string | null; address: string | null }> {
  const scratch = makeScratch('deploy');
  try {
    const secretsFile = join(scratch, 'secrets.json');
    const record = join(scratch, 'deployed.ndjson');
    writeFileSync(secretsFile, JSON.stringify(Object.fromEntries(secrets)), { mode: 0o600 });
    const args = publishing(wanted, secrets.size > 0 ? secretsFile : null);
    await wrangler.run(args, { WRANGLER_OUTPUT_FILE_PATH: record });
    const lines = readFileSync(record, 'utf8').trim().split('\n');
    const deployed = lines.map((line) => fromJson(Line, line)).find((line) => line !== null);
    if (!deployed)
      throw new Refusal(
        'wrangler ended well and did not say what it deployed. `npx wrangler deployments list`, with the same --env, shows it.',
      );
    const { version_id, targets = [] } = deployed;
    return { version_id, address: atWorkersDev(targets) };
  } finally {
    removeScratch(scratch);
  }
}

/** wrangler's list has schedules, routes and names; those at workers.dev come without https. */
export function atWorkersDev(targets: readonly string[]): string | null {
  const found = targets.find((target) => /^(https:\/\/)?[\w.-]+\.workers\.dev$/.test(target));
  return found === undefined ? null : `https://${found.replace('https://', '')}`;
}
