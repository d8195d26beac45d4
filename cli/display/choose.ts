/** The display that suits where the output goes. `labelled`: it has to say which of several videos is meant. */
import { Bars } from './bars.ts';
import type { Display } from './display.ts';
import { JsonLines, Lines } from './lines.ts';

export function chooseDisplay(json: boolean, labelled: boolean): Display {
  if (json) return new JsonLines();
  const canMoveCursor = process.stdout.isTTY && process.env.TERM !== 'dumb';
  return canMoveCursor ? new Bars(labelled) : new Lines(labelled);
}
