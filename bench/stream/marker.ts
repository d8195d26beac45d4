/**
 * The mark that every event carries in its message: `#`, its number, and when its POST began. Fixed width, and `#`
 * stands nowhere else in a stream, so a reader need not parse more than this. An event has arrived when the empty line
 * at its end has.
 */
const NUMBER_DIGITS = 8;
const TIME_DIGITS = 14;
const HASH = '#'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** This process's monotonic clock, in microseconds. */
export const microseconds = (): number => Math.round(performance.now() * 1000);

export const mark = (number: number, at: number): string =>
  `#${String(number).padStart(NUMBER_DIGITS, '0')}${String(at).padStart(TIME_DIGITS, '0')}`;

/** Calls `onEvent` for every event that is whole, and returns the bytes of one that is not. */
export function readMarks(bytes: Buffer, onEvent: (number: number, at: number) => void): Buffer | null {
  let from = 0;
  for (;;) {
    const start = bytes.indexOf(HASH, from);
    if (start < 0) return null;
    const end = bytes.indexOf('\n\n', start, 'latin1');
    if (end < 0) return Buffer.from(bytes.subarray(start));
    const time = start + 1 + NUMBER_DIGITS;
    onEvent(digits(bytes, start + 1, time), digits(bytes, time, time + TIME_DIGITS));
    from = end + 2;
  }
}

function digits(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + (bytes[at] ?? 0) - ZERO;
  return value;
}
