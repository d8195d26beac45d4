/**
 * HLS playlists (RFC 8216bis) as pure functions of a job's plan and commits. They can name only what is stored, and an
 * entry once shown never changes: segments are listed in the order of the grid, each with the take that came first.
 * Where the take changes, a new `EXT-X-MAP` is written if the init segments differ.
 */
import { iframePlaylist, mediaPlaylist, segmentName } from '../../contract/ids.ts';
import type { PlannedVideo, TakeSegment } from '../../contract/job.ts';
import type { Outputs, RenditionOutputs } from '../../durable/job/outputs.ts';
import { bandwidth } from '../../durable/job/view.ts';

export const HLS_TYPE = 'application/vnd.apple.mpegurl';

const AUDIO_GROUP = 'audio';

export function master({ plan, listed, renditions }: Outputs): string {
  const { audio } = plan;
  const audioRates = rates(renditions.audio, audio?.bandwidth ?? 0);
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  if (audio) {
    const attributes = `TYPE=AUDIO,GROUP-ID="${AUDIO_GROUP}",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES`;
    lines.push(`#EXT-X-MEDIA:${attributes},CHANNELS="${audio.channels}",URI="${mediaPlaylist(audio.name)}"`);
  }
  for (const video of plan.video.filter(({ name }) => listed.includes(name))) {
    const own = rates(renditions[video.name], video.maxrate);
    const peak = own.peak + audioRates.peak;
    const average = own.average + audioRates.average;
    const codecs = audio ? `${video.codecs},${audio.codecs}` : video.codecs;
    const group = audio ? `,AUDIO="${AUDIO_GROUP}"` : '';
    const rate = (video.fps.num / video.fps.den).toFixed(3);
    lines.push(
      `#EXT-X-STREAM-INF:BANDWIDTH=${peak},AVERAGE-BANDWIDTH=${average},CODECS="${codecs}",${size(video)},FRAME-RATE=${rate}${group}`,
      mediaPlaylist(video.name),
    );
    const keyframes = keyframeRate(renditions[video.name]?.published ?? []);
    lines.push(
      `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=${keyframes},CODECS="${video.codecs}",${size(video)},URI="${iframePlaylist(video.name)}"`,
    );
  }
  return text(lines);
}

/** `closed`: nothing will be added any more. */
export function media(outputs: Outputs, rendition: string, closed: boolean): string {
  const lines = head(outputs, closed);
  each(outputs.renditions[rendition], (segment, map) => {
    if (map) lines.push(`#EXT-X-MAP:URI="${uri(map)}"`);
    lines.push(`#EXTINF:${segment.duration.toFixed(6)},`, uri(segment));
  });
  if (closed || isWhole(outputs, rendition)) lines.push('#EXT-X-ENDLIST');
  return text(lines);
}

export function iframes(outputs: Outputs, rendition: string, closed: boolean): string {
  const lines = [...head(outputs, closed), '#EXT-X-I-FRAMES-ONLY'];
  each(outputs.renditions[rendition], (segment, map) => {
    if (map) lines.push(`#EXT-X-MAP:URI="${uri(map)}"`);
    if (!segment.keyframe) return;
    const { offset, length } = segment.keyframe;
    lines.push(`#EXTINF:${segment.duration.toFixed(6)},`, `#EXT-X-BYTERANGE:${length}@${offset}`, uri(segment));
  });
  if (closed || isWhole(outputs, rendition)) lines.push('#EXT-X-ENDLIST');
  return text(lines);
}

/** All there will ever be is shown: players need not wait for the rest of the job to reach the end. */
function isWhole({ renditions }: Outputs, name: string): boolean {
  const { published, whole } = renditions[name] ?? { published: [], whole: null };
  return whole !== null && published.length === whole.length;
}

/** The target duration may not change while a playlist grows, so it comes from the plan, rounded up. */
function head({ plan }: Outputs, closed: boolean): string[] {
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.ceil(plan.segment_seconds)}`,
    '#EXT-X-MEDIA-SEQUENCE:1',
    `#EXT-X-PLAYLIST-TYPE:${closed ? 'VOD' : 'EVENT'}`,
    '#EXT-X-START:TIME-OFFSET=0',
  ];
}

/** Visits the published segments; `map` is the init segment where a new one has to be announced. */
function each(
  rendition: RenditionOutputs | undefined,
  visit: (segment: TakeSegment, map: TakeSegment | undefined) => void,
): void {
  let current: TakeSegment | undefined;
  for (const segment of rendition?.published ?? []) {
    const init = rendition?.inits.find(({ take }) => take === segment.take);
    const isNew = init && init.sha256 !== current?.sha256;
    if (isNew) current = init;
    visit(segment, isNew ? init : undefined);
  }
}

/** Relative to the playlist, which lies in the rendition's folder. */
const uri = ({ take, n }: TakeSegment): string => `t${take}/${segmentName(n)}`;

/** Measured when the rendition is whole; before, the plan's ceiling, so that no player is promised too little. */
function rates(rendition: RenditionOutputs | undefined, planned: number): { peak: number; average: number } {
  const measured = bandwidth(rendition?.published ?? []);
  const average = measured.average_bandwidth ?? planned;
  const peak = measured.bandwidth ?? planned;
  return { peak: rendition?.whole ? peak : Math.max(peak, planned), average };
}

function keyframeRate(segments: readonly TakeSegment[]): number {
  return Math.ceil(Math.max(1, ...segments.map(({ keyframe, duration }) => ((keyframe?.length ?? 0) * 8) / duration)));
}

const size = ({ width, height }: PlannedVideo): string => `RESOLUTION=${width}x${height}`;

const text = (lines: string[]): string => `${lines.join('\n')}\n`;
