/** The few parts of Markdown that the reference is made of. */

const WIDTH = 120;

/** Paragraphs, headings and tables, with a blank line between them. */
export const page = (...parts: string[]): string => `${parts.map(wrapped).join('\n\n')}\n`;

export const table = (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

export const code = (text: string): string => `\`${text}\``;

const cell = (text: string): string => text.replaceAll('|', '\\|');

const wrapped = (part: string): string =>
  part.startsWith('|') ? part : part.replace(new RegExp(`(?=.{${WIDTH + 1}})(.{1,${WIDTH}}) `, 'g'), '$1\n');
