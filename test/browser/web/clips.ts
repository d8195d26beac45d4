/** The videos of the tests and pictures of the web app: small, of colours that flow, each with a tone. */
import type { Clips } from '../../transcoder/clips.ts';
import { QUICK, testTone } from '../../transcoder/clips.ts';

const COLOURS = ['0x0b2f2c', '0x2f8f83', '0xf0d9a8', '0xe9825b', '0x33263f'];

/** The path of a video of so many seconds; `seed` makes it another one, `rate` is in pictures a second. */
export function flow(clips: Clips, name: string, size: string, seconds: number, seed = 1, rate = 24): Promise<string> {
  const colours = COLOURS.map((colour, i) => `c${i}=${colour}`).join(':');
  const picture = `gradients=s=${size}:r=${rate}:d=${seconds}:n=${COLOURS.length}:${colours}:speed=0.012:seed=${seed}:type=spiral`;
  return clips.make(name, '-f', 'lavfi', '-i', picture, ...testTone(seconds), ...QUICK, '-shortest');
}
