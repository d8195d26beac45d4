/** Clips that are unusual and fine, and what each must become: one for each kind of input that is promised to work. */
import { QUICK, testPicture, testTone } from './clips.ts';

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-pix_fmt', 'yuv420p10le'];
const HDR = ['-color_trc', 'smpte2084', '-color_primaries', 'bt2020', '-colorspace', 'bt2020nc'];
const FIELDS = ['-vf', 'setfield=tff,setsar=16/15', '-flags', '+ilme+ildct'];
const SURROUND = ['-f', 'lavfi', '-i', 'anoisesrc=d=1:a=0.1,aformat=channel_layouts=5.1'];
export const PICTURE = testPicture('320x240', '25', 1);
export const BOTH = [...PICTURE, ...testTone(1)];

export interface Odd {
  readonly row: string;
  readonly file: string;
  readonly make: readonly string[];
  readonly shape?: string;
  readonly frames?: number;
  readonly sound?: boolean;
  /** Much like another one: left to the long tests. */
  readonly alike?: true;
}

/** Unless said otherwise: 320x240, 25 frames, no sound. */
const ALL: readonly Odd[] = [
  { row: 'portrait', file: 'portrait.mp4', make: [...testPicture('240x426', '25', 1), ...QUICK], shape: '240x426' },
  { row: 'odd sizes', file: 'odd.mp4', make: [...testPicture('321x241', '25', 1), ...X264, '-pix_fmt', 'yuv444p'] },
  { row: '4:2:2', file: 'studio.mov', make: [...PICTURE, ...X264, '-pix_fmt', 'yuv422p10le'], alike: true },
  {
    row: 'full range, as phones have it',
    file: 'full.mp4',
    make: [...PICTURE, ...X264, '-pix_fmt', 'yuvj420p'],
    alike: true,
  },
  { row: 'HEVC 10-bit PQ', file: 'pq.mp4', make: [...PICTURE, ...X265, ...HDR] },
  { row: 'HLG', file: 'hlg.mp4', make: [...PICTURE, ...X265, ...HDR, '-color_trc', 'arib-std-b67'], alike: true },
  {
    row: 'variable frame rate, shown at 30',
    file: 'variable.mp4',
    make: [...testPicture('320x240', '25', 2), '-vf', "select='not(between(n,5,20))'", '-fps_mode', 'vfr', ...QUICK],
    frames: 60,
  },
  { row: '120 frames a second', file: 'fast.mp4', make: [...testPicture('320x240', '120', 1), ...QUICK], frames: 30 },
  {
    row: 'interlaced anamorphic',
    file: 'fields.mp4',
    make: [...testPicture('720x576', '25', 1), ...FIELDS, ...QUICK],
    shape: '768x576',
  },
  { row: 'pixels twice as wide', file: 'wide.mp4', make: [...PICTURE, '-vf', 'setsar=2', ...QUICK], shape: '640x240' },
  { row: 'tiny', file: 'tiny.mp4', make: [...testPicture('16x16', '25', 1), ...QUICK], shape: '16x16' },
  { row: 'one frame', file: 'one.mp4', make: [...PICTURE, '-frames:v', '1', ...QUICK], frames: 1 },
  { row: 'transparency', file: 'alpha.webm', make: [...PICTURE, '-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p'] },
  { row: 'no stated duration', file: 'live.webm', make: [...PICTURE, '-c:v', 'vp8', '-live', '1'], alike: true },
  { row: 'Matroska, six channels', file: 'six.mkv', make: [...PICTURE, ...SURROUND, ...QUICK], sound: true },
  {
    row: 'QuickTime, sound that begins late',
    file: 'late.mov',
    make: [...testPicture('320x240', '25', 2), '-itsoffset', '1', ...testTone(1), ...QUICK],
    ...{ frames: 50, sound: true },
  },
  { row: 'MPEG-TS', file: 'stream.ts', make: [...BOTH, ...QUICK], sound: true },
  { row: 'AVI', file: 'old.avi', make: [...BOTH, '-c:v', 'mpeg4', '-c:a', 'mp3'], sound: true },
  { row: 'FLV', file: 'old.flv', make: [...BOTH, '-c:v', 'flv', '-ar', '44100'], sound: true },
  { row: 'WebM', file: 'new.webm', make: [...BOTH, '-c:v', 'vp8', '-c:a', 'libopus'], sound: true },
  { row: 'Windows Media', file: 'old.wmv', make: [...BOTH, '-c:v', 'wmv2', '-c:a', 'wmav2'], sound: true, alike: true },
  { row: 'MPEG program stream', file: 'old.mpg', make: BOTH, sound: true, alike: true },
  { row: 'Ogg', file: 'old.ogv', make: [...BOTH, '-c:v', 'libtheora', '-c:a', 'libvorbis'], sound: true, alike: true },
];

export const ODD = ALL.filter(({ alike }) => !alike || process.env.REELWIRE_LONG === '1');
