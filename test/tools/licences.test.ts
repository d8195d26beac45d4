/** The list of what is shipped is the one that the lockfile makes, and nothing in it has conditions we do not know. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/paths.mjs';

test('docs/licences.md is up to date', async () => {
  const run = promisify(execFile)(process.execPath, [join(ROOT, 'tools/licences.ts'), '--check']);
  await expect(run).resolves.toMatchObject({ stderr: '' });
});
