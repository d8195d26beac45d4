/**
 * The package as others get it: packed by npm with its build, and unpacked from that file into a project in a temporary
 * folder, as npm would. What it depends on, React, and the types that a project would bring itself are linked to the
 * repository's: npm could bring them only over a network.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ROOT } from '../../tools/paths.mjs';

const run = promisify(execFile);
const Package = z.object({ dependencies: z.record(z.string(), z.string()).optional() });
const MODULES = join(ROOT, 'node_modules');
const PACKAGE = 'reelwire-client';
const REACT = ['react', 'react-dom', '@types/react', '@types/react-dom', 'csstype'];

export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Packs the client into `folder`; returns the file. */
  static async pack(folder: string): Promise<string> {
    const { stdout } = await npm(join(ROOT, 'client'), 'pack', '--silent', '--pack-destination', folder);
    return join(folder, stdout.trim().split('\n').at(-1) ?? '');
  }

  static async make(tarball: string): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'reelwire-project-')));
    await project.write('package.json', JSON.stringify({ name: 'project', private: true, type: 'module' }));
    const folder = join(project.folder, 'node_modules', PACKAGE);
    await mkdir(folder, { recursive: true });
    await run('tar', ['-x', '-f', tarball, '-C', folder, '--strip-components=1']);
    const { dependencies = {} } = Package.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
    await project.#link(Object.keys(dependencies));
    return project;
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true });
    await writeFile(join(this.folder, name), text);
  }

  withReact(): Promise<void> {
    return this.#link(REACT);
  }

  async #link(names: string[]): Promise<void> {
    for (const name of names) {
      const link = join(this.folder, 'node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(MODULES, name), link);
    }
  }

  /** The compiler's errors in `files`, a line each; libraries are checked too. */
  async errors(files: string[], options: Record<string, unknown>): Promise<string[]> {
    const compilerOptions = { strict: true, skipLibCheck: false, noEmit: true, target: 'es2022', ...options };
    await this.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    const tsc = join(MODULES, 'typescript/bin/tsc');
    const answer = await run(process.execPath, [tsc, '-p', this.folder]).catch((error: { stdout: string }) => error);
    return answer.stdout.split('\n').filter((line) => line.includes('error TS'));
  }

  async node(...args: string[]): Promise<string> {
    return (await run(process.execPath, args, { cwd: this.folder, timeout: 20_000 })).stdout;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** The package's scripts find this repository's Node first, as under `npm run`. */
function npm(cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const PATH = `${join(MODULES, '.bin')}${delimiter}${process.env.PATH ?? ''}`;
  return run('npm', args, { cwd, env: { ...process.env, PATH } });
}

export interface Example {
  readonly name: string;
  readonly text: string;
}

/** The examples of docs/client.md, each as a module of its own; what an example does not make itself is declared. */
export async function examples(): Promise<Example[]> {
  const page = await readFile(join(ROOT, 'docs/client.md'), 'utf8');
  const blocks = page.matchAll(/^```(tsx?)\n(.*?)^```$/gms);
  return [...blocks].map(([, kind = '', text = ''], i) => {
    const declared = text.includes('const client') ? '' : "declare const client: import('reelwire-client').Reelwire;\n";
    return { name: `example-${i}.${kind}`, text: `${text}${declared}declare const id: string;\nexport {};\n` };
  });
}
