/** Columns of text. The last column gets what room is left, and is cut there; elsewhere lines are as long as they are. */
import stringWidth from 'string-width';

const GAP = '  ';

/** `rows` with the header first; `width` in cells of the terminal, Infinity for no limit. */
export function table(rows: readonly (readonly string[])[], width: number): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, n) => Math.max(...rows.map((row) => stringWidth(row[n] ?? ''))));
  return rows.map((row) => {
    const cells = row.map((cell, n) => (n === columns - 1 ? cell : fit(cell, widths[n] ?? 0)));
    return clip(cells.join(GAP), width).trimEnd();
  });
}

/** Exactly so wide: cut, or filled up with spaces. */
export function fit(text: string, width: number): string {
  const cut = clip(text, width);
  return cut + ' '.repeat(width - stringWidth(cut));
}

/** At most so wide; what is cut off leaves an ellipsis. */
export function clip(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = '';
  for (const character of text) {
    if (stringWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut}…`;
}

/** The width of the terminal; Infinity where output goes elsewhere. */
export const terminalWidth = (): number =>
  process.stdout.isTTY ? (process.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
