/** Line plots as SVG: both axes logarithmic. */
import { colour, legend, svg, WIDTH } from '../svg.ts';

export interface Line {
  name: string;
  points: readonly { x: number; y: number }[];
}

const HEIGHT = 360;
const FRAME = { left: 64, right: 120, top: 40, bottom: 44 };

/** Throws if a point is not positive. */
export function plot(title: string, xLabel: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  if (points.some(({ x, y }) => !(x > 0 && y > 0))) throw new Error(`${title}: a logarithm needs positive numbers`);
  const xs = [...new Set(points.map(({ x }) => x))];
  const ys = ticks(points.map(({ y }) => y));
  const x = scale(xs, FRAME.left, WIDTH - FRAME.right);
  const y = scale(ys, HEIGHT - FRAME.bottom, FRAME.top);
  const [left, right, bottom] = [FRAME.left, WIDTH - FRAME.right, HEIGHT - FRAME.bottom];

  const parts = [
    ...ys.flatMap((value) => [
      `<line class="grid" x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>`,
      `<text x="${left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
    ]),
    ...xs.map((value) => `<text x="${x(value)}" y="${bottom + 18}" text-anchor="middle">${value}</text>`),
    `<text x="${(left + right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${xLabel}</text>`,
    ...lines.flatMap(({ name, points: own }, index) => {
      const path = own.map((point) => `${x(point.x)},${y(point.y)}`).join(' ');
      const height = FRAME.top + 14 + index * 20;
      return [
        `<polyline points="${path}" fill="none" stroke="${colour(index)}" stroke-width="2.5"/>`,
        ...own.map((point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3.5" fill="${colour(index)}"/>`),
        ...legend(name, index, right + 16, height),
      ];
    }),
  ];
  return svg(title, HEIGHT, left, parts);
}

/** 1, 2 or 5 times a power of ten, from below the least value to above the largest. */
function ticks(values: number[]): number[] {
  const steps: number[] = [];
  for (let power = -3; power < 7; power++) for (const step of [1, 2, 5]) steps.push(Number(`${step}e${power}`));
  const from = steps.findLastIndex((step) => step <= Math.min(...values));
  const to = steps.findIndex((step) => step >= Math.max(...values));
  return steps.slice(from, to + 1);
}

function scale(values: number[], from: number, to: number): (value: number) => number {
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  const unit = high > low ? (to - from) / (high - low) : 0;
  return (value) => Math.round((from + (Math.log(value) - low) * unit) * 10) / 10;
}
