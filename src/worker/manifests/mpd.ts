/**
 * The DASH manifest (ISO/IEC 23009-1) as a pure function of a finished job's plan and commits. It names one whole take
 * per rendition by a template, or the segments of several as a list; the exact length of each is in a `SegmentTimeline`.
 */
import { segmentName, takePath } from '../../contract/ids.ts';
import type { TakeSegment } from '../../contract/job.ts';
import type { Outputs } from '../../durable/job/outputs.ts';
import { bandwidth } from '../../durable/job/view.ts';

export const MPD_TYPE = 'application/dash+xml';

export function mpd({ plan, renditions }: Outputs): string {
  const lengths = Object.values(renditions).map(({ whole }) => seconds(whole ?? []));
  const video = plan.video.map(({ name, width, height, fps, codecs }) => {
    const attributes = `width="${width}" height="${height}" frameRate="${fps.num}/${fps.den}"`;
    return representation(name, codecs, attributes, fps.num, renditions[name]?.whole ?? []);
  });
  const sets = [adaptationSet('video', 'video/mp4', video)];
  if (plan.audio) {
    const { name, codecs, sample_rate, channels } = plan.audio;
    const scheme = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011';
    const layout = `<AudioChannelConfiguration schemeIdUri="${scheme}" value="${channels}"/>`;
    const whole = renditions[name]?.whole ?? [];
    const attributes = `audioSamplingRate="${sample_rate}"`;
    sets.push(
      adaptationSet('audio', 'audio/mp4', [representation(name, codecs, attributes, sample_rate, whole, layout)]),
    );
  }
  return `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT${Math.max(...lengths).toFixed(6)}S" minBufferTime="PT${Math.ceil(plan.segment_seconds)}S">
  <Period id="0" start="PT0S">
${sets.join('\n')}
  </Period>
</MPD>
`;
}

function adaptationSet(type: string, mime: string, representations: string[]): string {
  return `    <AdaptationSet contentType="${type}" mimeType="${mime}" segmentAlignment="true" startWithSAP="1">
${representations.join('\n')}
    </AdaptationSet>`;
}

/** `timescale` is a rate that the media's durations are whole multiples of. */
function representation(
  name: string,
  codecs: string,
  attributes: string,
  timescale: number,
  segments: readonly TakeSegment[],
  inside = '',
): string {
  const { bandwidth: peak } = bandwidth(segments);
  const first = segments[0]?.take ?? 0;
  const isOneTake = segments.every(({ take }) => take === first);
  const addresses = isOneTake ? template(name, first, segments, timescale) : list(name, first, segments, timescale);
  return `      <Representation id="${name}" codecs="${codecs}" bandwidth="${peak}" ${attributes}>${inside}
${addresses}
      </Representation>`;
}

function template(name: string, take: number, segments: readonly TakeSegment[], timescale: number): string {
  const path = (file: string): string => takePath(name, take, file);
  return `        <SegmentTemplate timescale="${timescale}" initialization="${path('init.mp4')}" media="${path('$Number$.m4s')}" startNumber="1">
          <SegmentTimeline>${timeline(segments, timescale)}</SegmentTimeline>
        </SegmentTemplate>`;
}

/** The takes have equal init segments; the first one's stands for all. */
function list(name: string, take: number, segments: readonly TakeSegment[], timescale: number): string {
  const urls = segments.map((one) => `<SegmentURL media="${takePath(name, one.take, segmentName(one.n))}"/>`);
  return `        <SegmentList timescale="${timescale}" startNumber="1">
          <Initialization sourceURL="${takePath(name, take, segmentName(0))}"/>
          <SegmentTimeline>${timeline(segments, timescale)}</SegmentTimeline>
          ${urls.join('\n          ')}
        </SegmentList>`;
}

/** `<S d r/>` per run of equal lengths; `r` counts the repetitions after the first. */
function timeline(segments: readonly TakeSegment[], timescale: number): string {
  const runs: { d: number; count: number }[] = [];
  for (const { duration } of segments) {
    const d = Math.round(duration * timescale);
    const last = runs.at(-1);
    if (last?.d === d) last.count += 1;
    else runs.push({ d, count: 1 });
  }
  return runs.map(({ d, count }) => (count > 1 ? `<S d="${d}" r="${count - 1}"/>` : `<S d="${d}"/>`)).join('');
}

const seconds = (segments: readonly TakeSegment[]): number => segments.reduce((sum, { duration }) => sum + duration, 0);
