/** `reelwire watch JOB...` */
import type { Context } from '../context.ts';
import { Watching } from '../watching.ts';

export async function watch(context: Context, jobIds: string[]): Promise<number> {
  const jobs = await Promise.all(jobIds.map((id) => context.client.jobs.get(id)));
  const watching = new Watching(context, jobs.length > 1);
  try {
    for (const { id, key } of jobs) watching.begin({ jobId: id, name: watching.label(key) });
    return await watching.end([]);
  } catch (error) {
    watching.leave();
    throw error;
  } finally {
    watching.close();
  }
}
