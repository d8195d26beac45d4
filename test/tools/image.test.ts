/** The files that the image of the transcoder is made of, as its Dockerfile copies them, are all that it needs. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../../tools/paths.mjs';

const run = promisify(execFile);

test('what the Dockerfile copies can transcode, and its build context has no more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'image-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const read = (name: string) => readFileSync(join(ROOT, 'transcoder-node', name), 'utf8');
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) (\S+)$/gm)].flatMap(
    ([, sources = '', target = '']) => sources.split(' ').map((source) => ({ source, target })),
  );
  for (const { source, target } of copied) {
    const into = target.endsWith('/') ? join(folder, target, basename(source)) : join(folder, target);
    mkdirSync(join(into, '..'), { recursive: true });
    cpSync(join(ROOT, source), into, { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { stdout } = await run(process.execPath, ['transcoder-node/main.ts', '--check'], { cwd: folder });
  expect(stdout).toContain('This machine can transcode.');

  const allowed = read('Dockerfile.dockerignore')
    .match(/^!.+$/gm)
    ?.map((line) => line.slice(1));
  expect(new Set(allowed)).toEqual(
    new Set(copied.map(({ source }) => source).filter((source) => source !== 'transcoder-node/package.json')),
  );
});
