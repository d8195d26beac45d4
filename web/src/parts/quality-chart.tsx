/** What each rendition's bits buy: its bitrate to the right, its VMAF upwards. A list says the same in words. */
import type { Rendition } from '../../../client/index.ts';
import { bitrate } from '../words.ts';
import './quality-chart.css';

const WIDTH = 420;
const HEIGHT = 220;
const EDGE = { left: 36, right: 28, top: 22, bottom: 34 };

/** Below the worst score there is room; above 100 there is nothing. */
const STEP = 10;

interface Point {
  readonly name: string;
  readonly bits: number;
  readonly vmaf: number;
}

export function QualityChart({ renditions }: { renditions: readonly Rendition[] }) {
  const points = renditions.flatMap(({ name, average_bandwidth: bits, vmaf }): Point[] =>
    bits && vmaf ? [{ name, bits, vmaf: vmaf.mean }] : [],
  );
  if (points.length === 0) return null;
  const lowest = Math.max(0, Math.floor((Math.min(...points.map(({ vmaf }) => vmaf)) - 4) / STEP) * STEP);
  const most = Math.max(...points.map(({ bits }) => bits)) * 1.08;
  const x = (bits: number) => EDGE.left + (bits / most) * (WIDTH - EDGE.left - EDGE.right);
  const y = (vmaf: number) => EDGE.top + ((100 - vmaf) / (100 - lowest)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const line = points.map(({ bits, vmaf }, i) => `${i === 0 ? 'M' : 'L'}${x(bits)} ${y(vmaf)}`).join('');
  return (
    <section aria-labelledby="quality">
      <h2 id="quality">Quality for its bitrate</h2>
      <svg className="quality" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {[100, (100 + lowest) / 2, lowest].map((score) => (
          <g key={score}>
            <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(score)} y2={y(score)} className="quality__grid" />
            <text x={EDGE.left - 8} y={y(score) + 4} textAnchor="end">
              {score}
            </text>
          </g>
        ))}
        <path d={line} className="quality__line" />
        {points.map(({ name, bits, vmaf }) => (
          <g key={name}>
            <circle cx={x(bits)} cy={y(vmaf)} r="4.5" className="quality__point" />
            <text x={x(bits)} y={y(vmaf) + 20} textAnchor="middle" className="quality__name">
              {name}
            </text>
          </g>
        ))}
        <text x={EDGE.left} y={HEIGHT - 6}>
          VMAF over bitrate
        </text>
        <text x={WIDTH - EDGE.right} y={HEIGHT - 6} textAnchor="end">
          {bitrate(most)}
        </text>
      </svg>
      <ul className="unseen">
        {points.map(({ name, bits, vmaf }) => (
          <li key={name}>
            {name}: VMAF {vmaf.toFixed(1)} at {bitrate(bits)}
          </li>
        ))}
      </ul>
    </section>
  );
}
