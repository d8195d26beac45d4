/** `useJob`: a job in a React component, live. */
import { useMemo, useSyncExternalStore } from 'react';
import type { Reelwire } from './client.ts';
import { type JobSnapshot, JobStore } from './job-store.ts';

export type { JobSnapshot } from './job-store.ts';

/**
 * The job, its last event, the state of the connection, and the error of a watch that has given up. The stream is open
 * while the component is mounted. `client` should be made once, outside of components. `id` null: no job yet.
 */
export function useJob(client: Reelwire, id: string | null): JobSnapshot {
  const store = useMemo(() => new JobStore(client, id), [client, id]);
  return useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot);
}
