/**
 * H.264 levels (ITU-T H.264 table A-1). The level is chosen here and given to the encoder, so that the codec string is
 * known before the first frame. MaxBR and MaxCPB are for High profile: 1.25 times the table's figure. Lower levels
 * than 2 exist, but no player asks for them.
 */

interface Level {
  /** level_idc: ten times the level. */
  readonly idc: number;
  readonly macroblocksPerSecond: number;
  readonly macroblocks: number;
  readonly dpbMacroblocks: number;
  readonly bitsPerSecond: number;
  readonly bufferBits: number;
}

const level = (idc: number, mbps: number, fs: number, dpb: number, kbps: number, cpb: number): Level => ({
  idc,
  macroblocksPerSecond: mbps,
  macroblocks: fs,
  dpbMacroblocks: dpb,
  bitsPerSecond: kbps * 1250,
  bufferBits: cpb * 1250,
});

const LEVELS: readonly Level[] = [
  level(20, 11_880, 396, 2_376, 2_000, 2_000),
  level(21, 19_800, 792, 4_752, 4_000, 4_000),
  level(22, 20_250, 1_620, 8_100, 4_000, 4_000),
  level(30, 40_500, 1_620, 8_100, 10_000, 10_000),
  level(31, 108_000, 3_600, 18_000, 14_000, 14_000),
  level(32, 216_000, 5_120, 20_480, 20_000, 20_000),
  level(40, 245_760, 8_192, 32_768, 20_000, 25_000),
  level(41, 245_760, 8_192, 32_768, 50_000, 62_500),
  level(42, 522_240, 8_704, 34_816, 50_000, 62_500),
  level(50, 589_824, 22_080, 110_400, 135_000, 135_000),
  level(51, 983_040, 36_864, 184_320, 240_000, 240_000),
  level(52, 2_073_600, 36_864, 184_320, 240_000, 240_000),
];

/** Frames that x264's veryfast preset keeps: one reference and the pyramid of B frames. */
const KEPT_FRAMES = 4;

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly maxrate: number;
  readonly bufsize: number;
}

/** The lowest level that allows the picture; the highest there is, if none does. */
export function levelFor({ width, height, fps, maxrate, bufsize }: Picture): number {
  const columns = Math.ceil(width / 16);
  const rows = Math.ceil(height / 16);
  const macroblocks = columns * rows;
  const fits = (candidate: Level) =>
    macroblocks <= candidate.macroblocks &&
    Math.max(columns, rows) <= Math.sqrt(8 * candidate.macroblocks) &&
    macroblocks * fps <= candidate.macroblocksPerSecond &&
    macroblocks * KEPT_FRAMES <= candidate.dpbMacroblocks &&
    maxrate <= candidate.bitsPerSecond &&
    bufsize <= candidate.bufferBits;
  return (LEVELS.find(fits) ?? LEVELS.at(-1))?.idc ?? 52;
}

/** RFC 6381: profile High (100), no constraint flags, level. */
export const avcCodec = (idc: number): string => `avc1.6400${idc.toString(16).padStart(2, '0')}`;

export const levelOfCodec = (codec: string): number => Number.parseInt(codec.slice(-2), 16);
