/** Bar plots as SVG: groups of bars from the left, one bar for each series, its value at its end. */
import { colour, legend, svg, WIDTH } from './svg.ts';

export interface Group {
  name: string;
  /** One for each series; `null` where it has none. */
  values: readonly (number | null)[];
}

const FRAME = { left: 104, right: 160, top: 44, bottom: 12 };
const BAR = 16;
const STEP = 20;
const BETWEEN = 14;

/** `digits` behind the point. A single series needs no legend: the title says what it is. */
export function bars(title: string, series: readonly string[], groups: readonly Group[], digits: number): string {
  const most = Math.max(...groups.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const unit = (WIDTH - FRAME.left - FRAME.right) / most;
  const parts: string[] = [];
  let top = FRAME.top;
  for (const { name, values } of groups) {
    const own = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
    const height = own.length * STEP - (STEP - BAR);
    parts.push(`<text x="${FRAME.left - 10}" y="${top + height / 2 + 5}" text-anchor="end">${name}</text>`);
    for (const [row, { value, index }] of own.entries()) {
      const [y, length] = [top + row * STEP, Math.round(value * unit * 10) / 10];
      parts.push(
        `<rect x="${FRAME.left}" y="${y}" width="${length}" height="${BAR}" fill="${colour(index)}"/>`,
        `<text x="${FRAME.left + length + 6}" y="${y + 13}">${value.toFixed(digits)}</text>`,
      );
    }
    top += height + BETWEEN;
  }
  const bottom = top - BETWEEN;
  parts.push(`<line class="grid" x1="${FRAME.left}" x2="${FRAME.left}" y1="${FRAME.top - 6}" y2="${bottom + 6}"/>`);
  const names = series.length > 1 ? series : [];
  parts.push(...names.flatMap((name, index) => legend(name, index, WIDTH - 100, FRAME.top + 13 + index * STEP)));
  return svg(title, bottom + FRAME.bottom, FRAME.left, parts);
}
