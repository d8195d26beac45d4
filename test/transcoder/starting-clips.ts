/** Clips of nine seconds to begin in the middle of: containers and pictures that make it difficult, each in its way. */
import { QUICK, testPicture, testTone } from './clips.ts';

export const SECONDS = 9;
export const GROUPS = ['-g', '45'];
export const B_FRAMES = [
  '-c:v',
  'libx264',
  '-preset',
  'superfast',
  '-bf',
  '3',
  '-pix_fmt',
  'yuv420p',
  '-c:a',
  'aac',
  ...GROUPS,
];
const picture = (rate = '25', size = '160x120') => testPicture(size, rate, SECONDS);
const SPARSE = ['-vf', "select='not(between(n,40,250))*gt(mod(n,7),0)'", '-fps_mode', 'vfr'];
const FIELDS = ['-vf', 'setfield=tff,setsar=16/15', '-flags', '+ilme+ildct'];

export interface Case {
  readonly row: string;
  readonly file: string;
  readonly make: readonly string[];
  /** Goes through `-c copy` once more, with these options for the input. */
  readonly cut?: readonly string[];
  readonly seeks: boolean;
  /** Much like another one: left to the long tests. */
  readonly alike?: true;
}

const ALL: readonly Case[] = [
  {
    row: 'mp4 with an edit list and B-frames',
    file: 'a.mp4',
    make: [...picture(), ...testTone(SECONDS), ...B_FRAMES],
    cut: ['-ss', '0.9'],
    seeks: true,
  },
  { row: 'Matroska at 29.97', file: 'a.mkv', make: [...picture('30000/1001'), ...B_FRAMES], seeks: true },
  {
    row: 'MPEG-TS whose picture begins late',
    file: 'a.ts',
    make: ['-itsoffset', '0.4', ...picture(), ...testTone(SECONDS), ...B_FRAMES],
    seeks: false,
  },
  {
    row: 'a picture that stands still across the seek',
    file: 'still.mp4',
    make: [...picture('30'), ...SPARSE, ...B_FRAMES],
    seeks: true,
  },
  {
    row: '60 frames a second, shown at half of them',
    file: 'fast.mp4',
    make: [...picture('60', '426x240'), ...QUICK, ...GROUPS],
    seeks: true,
  },
  { row: 'interlaced', file: 'fields.mp4', make: [...picture(), ...FIELDS, ...B_FRAMES], seeks: true, alike: true },
  {
    row: 'one key picture for all',
    file: 'one-key.mp4',
    make: [...picture(), ...B_FRAMES, '-g', '9999'],
    seeks: true,
    alike: true,
  },
  {
    row: 'fragments without an index',
    file: 'parts.mp4',
    make: [...picture(), ...B_FRAMES, '-movflags', '+frag_keyframe+empty_moov'],
    seeks: true,
    alike: true,
  },
  {
    row: 'QuickTime that begins late',
    file: 'late.mov',
    make: ['-itsoffset', '1.2', ...picture(), ...testTone(SECONDS), ...B_FRAMES],
    seeks: true,
    alike: true,
  },
  {
    row: 'WebM',
    file: 'a.webm',
    make: [...picture(), '-c:v', 'vp8', '-deadline', 'realtime', ...GROUPS],
    seeks: true,
    alike: true,
  },
  {
    row: 'WebM without an index',
    file: 'live.webm',
    make: [...picture(), '-c:v', 'vp8', '-deadline', 'realtime', ...GROUPS, '-live', '1'],
    seeks: true,
    alike: true,
  },
  { row: 'an odd rate', file: 'odd.mp4', make: [...picture('17.3'), ...B_FRAMES], seeks: true, alike: true },
  {
    row: 'AVI',
    file: 'a.avi',
    make: [...picture(), ...testTone(SECONDS), '-c:v', 'mpeg4', '-c:a', 'mp3'],
    seeks: false,
    alike: true,
  },
  {
    row: 'FLV',
    file: 'a.flv',
    make: [...picture(), ...testTone(SECONDS), '-c:v', 'flv', '-ar', '44100'],
    seeks: false,
    alike: true,
  },
];
export const LONG = process.env.REELWIRE_LONG === '1';
export const CASES = ALL.filter(({ alike }) => LONG || !alike);
