/**
 * Builds the package into dist: ESM and declarations. The compiler works on a copy of the sources in which the
 * contract's types are plain declarations: so what is published was checked against them, and names no schema.
 */
import { spawnSync } from 'node:child_process';
import { copyFile, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { declarations } from './declarations.ts';

const HERE = import.meta.dirname;
const DIST = join(HERE, 'dist');
const NOT_PUBLISHED = ['build.ts', 'declarations.ts', 'types.ts'];

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST);
const sources = await mkdtemp(join(DIST, '.sources-'));
try {
  for await (const name of glob('*.ts', { cwd: HERE, exclude: NOT_PUBLISHED })) {
    await copyFile(join(HERE, name), join(sources, name));
  }
  await writeFile(join(sources, 'types.ts'), await declarations());
  await writeFile(join(sources, 'tsconfig.json'), JSON.stringify(settings()));
  compile(sources);
  for await (const name of glob('*.d.ts', { cwd: DIST })) await nameModules(join(DIST, name));
  await copyFile(join(HERE, '../LICENSE'), join(DIST, 'LICENSE'));
} finally {
  await rm(sources, { recursive: true, force: true });
}

function settings(): unknown {
  const compilerOptions = {
    target: 'es2022',
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: '.',
    outDir: '..',
  };
  return { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] };
}

function compile(project: string): void {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const { status } = spawnSync(process.execPath, [join(typescript, 'bin/tsc'), '-p', project], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The client does not compile against the declarations of the contract.');
}

/** The compiler leaves the sources' names in declarations; those who import them have the built modules. */
async function nameModules(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/(['"])(\.\/[\w-]+)\.ts\1/g, '$1$2.js$1'));
}
