/** A server process tells its parent where it listens, and ends when the parent lets go of it. */
import { z } from 'zod';

export const Ready = z.object({ port: z.int() });

export function serve(port: number, close: () => Promise<void>): void {
  const end = (): void => void close().finally(() => process.exit());
  process.once('disconnect', end);
  if (process.connected) process.send?.({ port } satisfies z.infer<typeof Ready>);
  else end();
}
