/** Before all tests: the web app is built, so that the Worker has it to serve. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../tools/paths.mjs';

export async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'web/build.mjs')]);
}
