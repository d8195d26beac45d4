/**
 * Where the examples run: a folder with the videos that the pages name, in which `reelwire-client` is this repository's
 * client, as if it were installed, and `npx reelwire` its command. No page waits for what becomes of `clip.mp4`, so there
 * is no picture in it. What an example does not make itself is given to it: `client`, `id` (a completed job) and `file`.
 */
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../../tools/paths.mjs';
import { execute } from './execute.ts';
import type { Block } from './pages.ts';

const PACKAGES = ['@types', 'csstype', 'hls.js', 'react', 'react-dom', 'standardwebhooks'];
const CLIP = 'the bytes of a video\n'.repeat(100);

const GIVEN = `import { Reelwire } from 'reelwire-client';
const { EDGE = '', JOB_ID = '' } = process.env;
const file = new File(['the bytes of a video'], 'clip.mp4');
Object.assign(globalThis, { client: new Reelwire({ url: EDGE }), id: JOB_ID, file });
`;
const GIVEN_TYPES = `import type { Reelwire } from 'reelwire-client';
declare global {
  const client: Reelwire;
  const id: string;
  const file: File;
}
`;
const COMPILER = {
  ...{ strict: true, noEmit: true, skipLibCheck: true, moduleDetection: 'force', jsx: 'react-jsx' },
  ...{ target: 'es2024', module: 'nodenext', lib: ['es2024', 'dom', 'dom.iterable'], types: ['node'] },
  allowImportingTsExtensions: true,
};

export class Workshop {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(video: string): Promise<Workshop> {
    const workshop = new Workshop(await mkdtemp(join(tmpdir(), 'reelwire-docs-')));
    await copyFile(video, join(workshop.folder, 'my-video.mp4'));
    await workshop.write('clip.mp4', CLIP);
    await workshop.#install();
    await workshop.write('given.ts', GIVEN);
    await workshop.write('given.d.ts', GIVEN_TYPES);
    return workshop;
  }

  /** What the compiler says about all of them. */
  async complaints(blocks: readonly Block[]): Promise<string> {
    const names = await Promise.all(blocks.map((block) => this.keep(block)));
    const tsconfig = { compilerOptions: COMPILER, files: ['given.d.ts', ...names] };
    await this.write('tsconfig.json', JSON.stringify(tsconfig));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    return (await execute(process.execPath, [tsc, '-p', this.folder], { cwd: this.folder, env: {} })).stdout;
  }

  /** What Node is told, to run a module that `keep()` has written. */
  arguments(name: string): string[] {
    return ['--experimental-eventsource', '--disable-warning=ExperimentalWarning', '--import', './given.ts', name];
  }

  /** Returns its name. */
  async keep({ page, line, language, text }: Block): Promise<string> {
    const name = `${page.replaceAll(/\W/g, '-')}-${line}.${language}`;
    await this.write(name, text);
    return name;
  }

  async write(name: string, text: string): Promise<void> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** Node strips types only outside of node_modules: the package is a link to a folder beside it. */
  async #install(): Promise<void> {
    await this.write('package.json', JSON.stringify({ private: true, type: 'module' }));
    const exports = { '.': './index.ts', './react': './react.ts' };
    await this.write('client/package.json', JSON.stringify({ name: 'reelwire-client', type: 'module', exports }));
    for (const name of ['index', 'react']) {
      await this.write(`client/${name}.ts`, `export * from ${JSON.stringify(join(ROOT, `client/${name}.ts`))};\n`);
    }
    const modules = join(this.folder, 'node_modules');
    await mkdir(modules);
    await symlink(join(this.folder, 'client'), join(modules, 'reelwire-client'));
    await mkdir(join(modules, '.bin'));
    await symlink(join(ROOT, 'cli/bin.mjs'), join(modules, '.bin/reelwire'));
    for (const name of PACKAGES) await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
}
