/**
 * Moves a body into a stream until it ends, breaks, its time is over, or nobody takes it any more. Time spent waiting
 * for bytes is counted against the sender, time spent handing them on is not: who sends next to nothing while we wait
 * has fallen silent, however often a byte drips.
 */
const READ_BYTES = 256 * 1024;

/** A sender has to be at least so fast, in bytes per second of waiting. */
const SLOWEST = 1024;

/** `cut`: the connection broke. `over`: nobody takes the bytes any more. */
export type PumpEnd = 'ended' | 'sliced' | 'silent' | 'cut' | 'over';

export interface Limits {
  /** When the slice is over, in ms since 1970. */
  deadline: number;
  silenceMs: number;
  /** Resolves when nobody takes the bytes any more. */
  over: Promise<unknown>;
}

/** Closes the stream in any case: what has arrived counts. */
export async function pump(
  body: ReadableStream<Uint8Array>,
  into: WritableStream<Uint8Array>,
  { deadline, silenceMs, over }: Limits,
): Promise<PumpEnd> {
  const reader = body.getReader({ mode: 'byob' });
  const writer = into.getWriter();
  const isOver = over.then(() => 'over' as const);
  let [waited, came] = [0, 0];
  const read = () => reader.read(new Uint8Array(READ_BYTES)).catch(() => 'cut' as const);
  let reading = read();
  try {
    for (;;) {
      if (waited >= silenceMs) {
        if (came < (SLOWEST * silenceMs) / 1000) return 'silent';
        [waited, came] = [0, 0];
      }
      const begun = Date.now();
      if (begun >= deadline) return 'sliced';
      const got = await raced(reading, isOver, Math.min(silenceMs - waited, deadline - begun));
      waited += Math.max(got === 'late' ? 1 : 0, Date.now() - begun);
      if (got === 'late') continue;
      if (got === 'cut' || got === 'over') return got;
      if (got.done) return 'ended';
      came += got.value.length;
      const written = writer.write(got.value).then(
        () => 'written' as const,
        () => 'over' as const,
      );
      const handed = await raced(written, isOver, Math.max(1, deadline - Date.now()));
      if (handed === 'over') return 'over';
      if (handed === 'late') return 'sliced';
      reading = read();
    }
  } finally {
    reader.cancel().catch(() => {});
    writer.close().catch(() => {});
  }
}

async function raced<T, U>(work: Promise<T>, other: Promise<U>, ms: number): Promise<T | U | 'late'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([work, other, late]);
  } finally {
    clearTimeout(timer);
  }
}
