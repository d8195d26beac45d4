/**
 * The checks that run no test: format and lint, dead code, the types of every TypeScript project, and whether each
 * environment of wrangler.toml can be deployed (tests never load the production configuration). Projects are found, not
 * listed.
 */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';

export interface Check {
  name: string;
  program: string;
  args: string[];
}

export async function staticChecks(root: string, scratch: string): Promise<{ before: Check[]; after: Check[] }> {
  const exclude = (name: string) => name === 'node_modules' || name.startsWith('.');
  const projects: string[] = [];
  for await (const project of glob('**/tsconfig.json', { cwd: root, exclude })) projects.push(project);
  const types = projects.sort().map((project) => ({
    name: `types of ${project}`,
    program: 'tsc',
    // More checkers than one do the same work again on small projects.
    args: ['--noEmit', '--checkers', '1', '-p', join(root, project)],
  }));
  const deploy = (name: string, environment: string): Check => ({
    name: `deployable: ${name}`,
    program: 'wrangler',
    args: ['deploy', '--dry-run', `--env=${environment}`, '--outdir', join(scratch, `deploy-${name}`)],
  });
  return {
    before: [
      { name: 'format and lint', program: 'biome', args: ['ci', '.'] },
      { name: 'dead code', program: 'knip', args: [] },
      ...types,
    ],
    after: [deploy('default', ''), deploy('production', 'production')],
  };
}
