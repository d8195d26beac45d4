/**
 * What a command means for the timers behind a job. A live lease has one that every word of its holder sets anew; a
 * pending job has a doorbell, which waits a while after an attempt that failed.
 */
import type { Entry } from '../../contract/entries.ts';
import { backoffMs } from '../timing.ts';
import type { TimelessCommand } from './machine.ts';
import type { JobState } from './state.ts';
import type { Timers } from './timers.ts';

interface Turn {
  /** After the command. */
  readonly state: JobState;
  readonly entries: readonly Entry[];
  readonly command: TimelessCommand;
  readonly at: number;
  /** The report's; 0 for other commands. */
  readonly batch: number;
  readonly leaseMs: number;
}

export function guard(timers: Timers, { state, entries, command, at, batch, leaseMs }: Turn): void {
  timers.create();
  if (state.lease?.end !== 'live') {
    timers.clear('lease');
  } else if ('lease' in command || command.type === 'lease') {
    const seen = timers.get('lease');
    const known = seen?.lease === state.lease.n ? seen.batch : 0;
    timers.set('lease', at + leaseMs, { lease: state.lease.n, batch: Math.max(batch, known), graced: false });
  }
  if (state.status !== 'pending') {
    timers.clear('doorbell');
  } else if (entries.some((entry) => entry.type === 'state' && entry.data.details.state === 'queued')) {
    const wait = command.type === 'fail' ? backoffMs(state.attempt + state.handed_back) : 0;
    timers.set('doorbell', at + wait, { rung: 0, failed: 0 });
  }
}
