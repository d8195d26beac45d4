/**
 * The README and the pages below docs, and what stands in them: fenced blocks, headings, links. A comment in the line
 * before a block says what a test does with it: `<!-- run -->` runs it, after the marked ones above it; `<!-- serve -->`
 * lets it run to the end of the page; `<!-- answer -->` compares it with what the block above it has printed. Readers do not see these comments.
 */
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../../tools/paths.mjs';

const MARKS = ['run', 'serve', 'answer'] as const;
type Mark = (typeof MARKS)[number];

export interface Block {
  /** From the root of the repository. */
  readonly page: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  readonly mark: Mark | null;
}

export interface Link {
  readonly line: number;
  readonly target: string;
}

const FENCE = /^(?:[ ]*<!-- (run|serve|answer) -->\n)?([ ]*)```([^\n]*)\n([\s\S]*?)^[ ]*```[ ]*$/gm;
const MARK = /<!-- *(\w+)/g;
const LINK = /\]\(([^)\s]+)(?: "[^"]*")?\)|\b(?:src|srcset|href)="([^"]+)"/g;
const HEADING = /^#{1,6} +(.+)$/gm;

export class Page {
  readonly path: string;
  readonly text: string;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  static async all(): Promise<Page[]> {
    const paths = ['README.md'];
    for await (const path of glob('docs/**/*.md', { cwd: ROOT })) paths.push(path);
    return Promise.all(paths.sort().map(async (path) => new Page(path, await readFile(join(ROOT, path), 'utf8'))));
  }

  get blocks(): Block[] {
    return [...this.text.matchAll(FENCE)].map((match) => {
      const [whole, mark, , language = '', text = ''] = match;
      return {
        page: this.path,
        line: this.#lineAt(match.index + whole.indexOf('```')) + 1,
        language: language.trim(),
        text,
        mark: MARKS.find((one) => one === mark) ?? null,
      };
    });
  }

  /** Marks that belong to no block, or are none. */
  get strayMarks(): number {
    return [...this.#prose(false).matchAll(MARK)].length;
  }

  get links(): Link[] {
    return [...this.#prose(true).matchAll(LINK)].map((match) => ({
      line: this.#lineAt(match.index),
      target: match[1] ?? match[2] ?? '',
    }));
  }

  /** As GitHub makes them of headings. */
  get anchors(): Set<string> {
    const anchors = new Set<string>();
    for (const [, heading = ''] of this.#prose(false).matchAll(HEADING)) {
      const slug = slugOf(heading);
      let anchor = slug;
      for (let n = 1; anchors.has(anchor); n += 1) anchor = `${slug}-${n}`;
      anchors.add(anchor);
    }
    return anchors;
  }

  /** The path that a relative link leads to, from the root of the repository. */
  follow(target: string): string {
    return relative(ROOT, join(ROOT, dirname(this.path), target)) || '.';
  }

  /** The text with blanks in place of blocks, so that places stay; with `bare`, of code in lines too. */
  #prose(bare: boolean): string {
    const blank = (found: string) => found.replace(/[^\n]/g, ' ');
    const text = this.text.replace(FENCE, blank);
    return bare ? text.replace(/`[^`\n]+`/g, blank) : text;
  }

  #lineAt(index: number): number {
    return this.text.slice(0, index).split('\n').length;
  }
}

const slugOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
