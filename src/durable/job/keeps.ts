/** Which of a job's stored objects must stay when what its takes have left behind is swept. */
import { namedObjects, outputs } from './outputs.ts';
import type { JobState } from './state.ts';

const TAKE = /^[^/]+\/t(\d+)\//;

/**
 * What manifests, artifacts or a later attempt build on, what is no part of a take, and what takes after `lease` make:
 * the job may have been tried again meanwhile.
 */
export function keeps(state: JobState, lease: number): (path: string) => boolean {
  const named = new Set(state.plan ? namedObjects(outputs(state, true)).map(({ path }) => path) : []);
  return (path) => {
    const take = TAKE.exec(path)?.[1];
    return take === undefined || Number(take) > lease || named.has(path);
  };
}
