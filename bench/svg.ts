/** What all plots share: their width, and colours and letters that are readable on light and dark pages. */

export const WIDTH = 640;

const COLOURS = ['#0a84d0', '#d1571b', '#7a7a7a', '#3a9a4b'];
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px }
  .grid { stroke: #24292f; stroke-opacity: .15 }
  @media (prefers-color-scheme: dark) { text { fill: #d8dee4 } .grid { stroke: #d8dee4; stroke-opacity: .2 } }`;

/** The colour of the series with that number, from 0. */
export const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? 'currentColor';

/** A plot of that height; its title begins at `left`. */
export function svg(title: string, height: number, left: number, parts: readonly string[]): string {
  const all = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${title}</title><style>${STYLE}</style>`,
    `<text class="title" x="${left}" y="22">${title}</text>`,
    ...parts,
    '</svg>',
  ];
  return `${all.join('\n')}\n`;
}

/** The line of a legend for the series with that number. */
export const legend = (name: string, index: number, x: number, y: number): string[] => [
  `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${colour(index)}"/>`,
  `<text x="${x + 18}" y="${y}">${name}</text>`,
];
