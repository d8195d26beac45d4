/**
 * What a benchmark leaves when all of it has run: every run in bench/results, a page of tables and its plots in
 * docs/benchmarks, both with the machine they were made on.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../tools/paths.mjs';

const RESULTS = join(ROOT, 'bench/results');
const PAGES = join(ROOT, 'docs/benchmarks');

/** A table: columns by name, in rows by name. */
export type Rows = Record<string, Record<string, string>>;

export interface Page {
  title: string;
  /** What was done, and how often: a sentence that goes on with the machine. */
  made: string;
  /** Paragraphs and tables. */
  parts: readonly (string | Rows)[];
  /** As SVG, by name. */
  plots: Record<string, string>;
}

/** Writes `name`.json, `name`.md and the plots, over those of the run before. */
export async function keep(name: string, measured: object, { title, made, parts, plots }: Page): Promise<void> {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
  const result = { machine, date: new Date().toISOString(), ...measured };
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  await mkdir(PAGES, { recursive: true });
  const where = `${made} on ${machine.cores} cores (${machine.cpu}), Node ${machine.node}.`;
  const texts = parts.map((part) => (typeof part === 'string' ? part : markdown(part)));
  await writeFile(join(PAGES, `${name}.md`), [`# ${title}: results`, where, ...texts].join('\n\n'));
  for (const [plot, svg] of Object.entries(plots)) await writeFile(join(PAGES, `${plot}.svg`), svg);
}

/** The last columns of a row: what was to be reached, and whether it was; `null` where nothing was. */
export function goal(value: number, most: number | null): { 'at most': string; reached: string } {
  if (most === null) return { 'at most': '-', reached: '-' };
  const reached = value <= most ? 'yes' : 'NO';
  return { 'at most': String(most), reached: Number.isFinite(value) ? reached : '-' };
}

/** The upper one of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function markdown(rows: Rows): string {
  const columns = Object.keys(Object.values(rows)[0] ?? {});
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |\n`;
  const body = Object.entries(rows).map(([name, row]) => line([name, ...columns.map((column) => row[column] ?? '')]));
  return line(['', ...columns]) + line(['---', ...columns.map(() => '---:')]) + body.join('');
}
