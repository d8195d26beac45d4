/** Every rendition: its size, how far it is while it is made, what it has become. */
import type { Rendition } from '../../../client/index.ts';
import type { RenditionProgress } from '../../../src/contract/entries.ts';
import { isActive, type LiveJob } from '../state/live-job.ts';
import { bitrate, bytes } from '../words.ts';
import { Bar } from './bar.tsx';
import './renditions.css';

const STATUS: Record<Rendition['status'], string> = {
  pending: 'Waiting',
  encoding: 'Encoding',
  stored: 'Stored',
  validated: 'Validated',
};

export function Renditions({ job }: { job: LiveJob }) {
  const { renditions = [], encoding } = job;
  if (renditions.length === 0) return null;
  return (
    <section aria-labelledby="renditions">
      <h2 id="renditions">Renditions</h2>
      <ul className="renditions">
        {renditions.toReversed().map((rendition) => (
          <One
            key={rendition.name}
            rendition={rendition}
            work={isActive(job) ? (encoding.find(({ name }) => name === rendition.name) ?? null) : null}
          />
        ))}
      </ul>
    </section>
  );
}

function One({ rendition, work }: { rendition: Rendition; work: RenditionProgress | null }) {
  const { name, width, height, fps, average_bandwidth, size_bytes, vmaf, status } = rendition;
  const isGoing = work !== null && work.percent < 100;
  const facts = [
    width > 0 ? `${width} × ${height}` : 'Sound',
    ...(fps > 0 ? [`${Number(fps.toFixed(2))} fps`] : []),
    ...(average_bandwidth ? [bitrate(average_bandwidth)] : []),
    ...(size_bytes > 0 ? [bytes(size_bytes)] : []),
  ];
  return (
    <li className="rendition">
      <span className="rendition__name">{name}</span>
      <span className="rendition__facts small soft">{facts.join(' · ')}</span>
      <span className="rendition__state small">
        {isGoing ? paceOf(work) : vmaf ? `VMAF ${vmaf.mean.toFixed(1)}` : STATUS[status]}
      </span>
      {isGoing && <Bar label={`Progress of ${name}`} percent={work.percent} />}
    </li>
  );
}

const paceOf = ({ percent, fps, speed }: RenditionProgress): string =>
  [
    `${Math.floor(percent)} %`,
    ...(fps ? [`${Math.round(fps)} fps`] : []),
    ...(speed ? [`${speed.toFixed(1)} ×`] : []),
  ].join(' · ');
