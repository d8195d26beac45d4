/** The files that the image of the transcoder is made of, as its Dockerfile copies them: all that it needs, and no more. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from '../../tools/paths.mjs';

const run = promisify(execFile);
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const WORKFLOW = '.github/workflows/image.yml';

const copied = [...read('transcoder-node/Dockerfile').matchAll(/^COPY (?!--from)(.+) (\S+)$/gm)].flatMap(
  ([, sources = '', target = '']) => sources.split(' ').map((source) => ({ source, target })),
);
/** Without what lies in a folder that is copied as a whole. */
const sources = copied.map(({ source }) => source).filter((source) => source !== 'transcoder-node/package.json');

test('what the Dockerfile copies can transcode, and its build context has no more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'image-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const { source, target } of copied) {
    const into = target.endsWith('/') ? join(folder, target, basename(source)) : join(folder, target);
    mkdirSync(join(into, '..'), { recursive: true });
    cpSync(join(ROOT, source), into, { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { stdout } = await run(process.execPath, ['transcoder-node/main.ts', '--check'], { cwd: folder });
  expect(stdout).toContain('This machine can transcode.');

  const allowed = read('transcoder-node/Dockerfile.dockerignore').match(/^!.+$/gm);
  expect(new Set(allowed?.map((line) => line.slice(1)))).toEqual(new Set(sources));
});

test('a pull request that changes what the Dockerfile copies has the image built', () => {
  const Workflow = z.object({ on: z.object({ pull_request: z.object({ paths: z.array(z.string()) }) }) });
  const { paths } = Workflow.parse(parse(read(WORKFLOW))).on.pull_request;
  const isFolder = (source: string) => statSync(join(ROOT, source)).isDirectory();
  const expected = sources.map((source) => (isFolder(source) ? `${source}/**` : source));
  expect(new Set(paths)).toEqual(new Set([...expected, WORKFLOW]));
});
