/** `reelwire cancel`, `retry` and `delete`. */
import type { Context } from '../context.ts';
import { EXIT } from '../failure.ts';

export const CHANGES = {
  cancel: 'is cancelled; what was made of it stays for now. "reelwire retry" goes on with it.',
  retry: 'is pending again. "reelwire watch" follows it.',
  delete: 'is deleted, with all that was made of it.',
} as const;

export async function change({ client, json }: Context, what: keyof typeof CHANGES, jobId: string): Promise<number> {
  const changed = await client.jobs[what](jobId);
  console.log(json ? JSON.stringify(changed) : `Job ${changed.job_id} ${CHANGES[what]}`);
  return EXIT.ok;
}
