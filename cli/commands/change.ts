/** `reelwire cancel`, `retry` and `delete`. */
import type { Context } from '../context.ts';
import { EXIT } from '../failure.ts';
import { adviceFor } from '../summary.ts';
import { typed } from '../typed.ts';

export const CHANGES = {
  cancel: (id) => `is cancelled; what was made of it stays for now. "${typed('retry', id)}" goes on with it.`,
  retry: (id) => `is pending again. "${typed('watch', id)}" follows it.`,
  delete: () => 'is deleted, with all that was made of it.',
} as const satisfies Record<string, (id: string) => string>;

export async function change({ client, json }: Context, what: keyof typeof CHANGES, jobId: string): Promise<number> {
  const before = what === 'retry' && !json ? (await client.jobs.get(jobId)).error : null;
  const changed = await client.jobs[what](jobId);
  console.log(json ? JSON.stringify(changed) : `Job ${changed.job_id} ${CHANGES[what](changed.job_id)}`);
  if (before !== null && !before.retryable) {
    const likely = `It failed with ${before.code}, which another try seldom mends.`;
    console.error([likely, ...adviceFor(before.code)].join('\n'));
  }
  return EXIT.ok;
}
