/** Waiting with an end. */

/** Exponential backoff with full jitter: up to 1 s, 2 s, 4 s ... 60 s. */
export function backoffMs(tries: number): number {
  return Math.random() * Math.min(60_000, 1000 * 2 ** tries);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Rejects when `work` takes longer than `ms`; the work itself cannot be stopped. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
