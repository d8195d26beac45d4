/** Takes the time of a stage: one line in the log, and one observation if it came to its end. */
import type { Logger } from 'pino';
import { stageSeconds, type TimedStage } from '../metrics.ts';

export async function timed<T>(log: Logger, stage: TimedStage, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const seconds = () => Math.round(performance.now() - begun) / 1000;
  try {
    const result = await work();
    stageSeconds.observe({ stage }, seconds());
    log.info({ stage, seconds: seconds() }, 'stage done');
    return result;
  } catch (error) {
    log.info({ stage, seconds: seconds() }, 'stage ended early');
    throw error;
  }
}
