/**
 * The decisions about a job's outputs, made once by the first attempt and followed by every later one. The level, and
 * with it the codec string, is fixed here. All rungs have groups of pictures of the same duration, so that their
 * segments align: a rung at half the rate has half the frames in each.
 */
import { JobOptions, type Plan, type PlannedVideo } from '../../src/contract/job.ts';
import { chosen, ladder } from './ladder.ts';
import { avcCodec, levelFor } from './levels.ts';
import type { Source } from './probe.ts';
import { gopOf, halved, outputRate, perSecond, rateText } from './rates.ts';

/**
 * `crf`: x264's constant quality, lower is better; six less doubles the size. `caps`: the factor on each rung's peak
 * rate, which binds on difficult pictures only. `economy` costs about half of `standard`, `high` about half as much again.
 */
const QUALITY: Record<JobOptions['quality'], { readonly crf: number; readonly caps: number }> = {
  economy: { crf: 27, caps: 0.7 },
  standard: { crf: 23, caps: 1 },
  high: { crf: 20, caps: 1.5 },
};
/** Above this rate, small rungs run at half of it. */
const FULL_RATE_FPS = 31;
const HALF_RATE_UP_TO = 480;
const DEINTERLACE = 'bwdif=mode=send_frame:deint=interlaced';
const TONE_MAP =
  'zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p';

export function makePlan(source: Source, options = JobOptions.parse({})): Plan {
  const { crf, caps } = QUALITY[options.quality];
  const rate = outputRate(source.nominalRate, source.averageRate);
  const gop = gopOf(rate);
  const video = chosen(ladder(source.size), options.ladder).map((rung): PlannedVideo => {
    const half = perSecond(rate) > FULL_RATE_FPS && Math.min(rung.width, rung.height) <= HALF_RATE_UP_TO;
    const fps = half ? halved(rate) : rate;
    const { name, width, height } = rung;
    const maxrate = Math.round(rung.maxrate * caps);
    const bufsize = 2 * maxrate;
    const codecs = avcCodec(levelFor({ width, height, fps: perSecond(fps), maxrate, bufsize }));
    return { name, width, height, fps, gop: half ? gop / 2 : gop, crf, maxrate, bufsize, codecs };
  });
  const frames = Math.max(1, Math.round(source.end * perSecond(rate)));
  return {
    duration: (frames * rate.den) / rate.num,
    segment_seconds: (gop * rate.den) / rate.num,
    filters: [
      ...(source.interlaced ? [DEINTERLACE] : []),
      ...(source.hdr ? [TONE_MAP] : []),
      `fps=${rateText(rate)}:start_time=0`,
    ].join(','),
    video,
    audio:
      source.audio === null
        ? null
        : { name: 'audio', bandwidth: 128_000, sample_rate: 48_000, channels: 2, codecs: 'mp4a.40.2' },
  };
}
