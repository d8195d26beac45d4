/** Links lead somewhere, the reference is what the schemas say, and behaviours name tests that exist. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { referencePages } from '../../tools/docs/pages.ts';
import { ROOT } from '../../tools/paths.mjs';
import { Page } from './pages.ts';

const pages = await Page.all();
const pageAt = (path: string) => pages.find((page) => page.path === path);

/** What is wrong with a link; null when nothing is. */
function complaint(page: Page, target: string): string | null {
  if (/^[a-z]+:/.test(target)) return /^https?:$/.test(new URL(target).protocol) ? null : 'is no web address';
  const [path = '', anchor] = target.split('#');
  const place = path === '' ? page.path : page.follow(path);
  const there = place === page.path ? page : pageAt(place);
  if (place.startsWith('..') || (!there && !existsSync(join(ROOT, place)))) return 'leads to nothing';
  return anchor === undefined || there?.anchors.has(anchor) ? null : 'names no heading there';
}

describe('links', () => {
  test.each(pages.map((page) => [page.path, page] as const))('of %s lead somewhere', (path, page) => {
    const wrong = page.links.flatMap(({ line, target }) => {
      const what = complaint(page, target);
      return what ? [`${path}:${line}: ${target} ${what}`] : [];
    });
    expect(wrong).toEqual([]);
    expect(page.strayMarks).toBe(0);
  });

  test('that lead nowhere are found', () => {
    const text =
      '# One `two`, [three](#one-two-three)\n\n[a](no.md) [b](#no) ![c](../no.png) [d](mailto:a@b) `[e](no.md)`\n';
    const page = new Page(
      'docs/links.md',
      `${text}\n\`\`\`\n[f](no.md)\n\`\`\`\n[g](../README.md) [h](https://example.com)\n`,
    );
    const found = page.links.map(({ target }) => [target, complaint(page, target)]);
    expect(found).toEqual([
      ['#one-two-three', null],
      ['no.md', 'leads to nothing'],
      ['#no', 'names no heading there'],
      ['../no.png', 'leads to nothing'],
      ['mailto:a@b', 'is no web address'],
      ['../README.md', null],
      ['https://example.com', null],
    ]);
    expect([...page.anchors]).toEqual(['one-two-three']);
  });

  test('every page can be reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const path of reached) {
      const page = pageAt(path);
      for (const { target } of page?.links ?? []) {
        const next = page?.follow(target.split('#')[0] ?? '');
        if (next && pageAt(next)) reached.add(next);
      }
    }
    const alone = pages.map(({ path }) => path).filter((path) => !reached.has(path));
    expect(alone.filter((path) => !path.startsWith('docs/decisions/'))).toEqual([]);
  });
});

test.each(referencePages())('$path is what `npm run docs` writes', async ({ path, text }) => {
  expect(await readFile(join(ROOT, path), 'utf8'), 'It is stale: npm run docs').toBe(text);
});

test('every behaviour names a test that exists', async () => {
  const text = pageAt('docs/behaviours.md')?.text ?? '';
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.includes('.test.ts'));
  const wrong = await Promise.all(rows.map(missing));
  expect(wrong.flat()).toEqual([]);
  expect(rows.length).toBeGreaterThan(40);
  expect(await missing('| a | [unit/machine.test.ts](../test/unit/machine.test.ts): no such test |')).toHaveLength(1);
});

const ROW = /^\| .+ \| \[(.+)\]\(\.\.\/test\/\1\): (.+) \|$/;

/** What a row names and is not there. */
async function missing(row: string): Promise<string[]> {
  const [, file, title] = ROW.exec(row) ?? [];
  if (!file || !title) return [`not a row: ${row}`];
  const source = await readFile(join(ROOT, 'test', file), 'utf8');
  const spelt = [`'${title}'`, `"${title}"`, `\`${title}\``];
  return spelt.some((text) => source.includes(text)) ? [] : [`${file}: ${title}`];
}
