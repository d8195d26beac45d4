/** What the demo shows while it runs. Three ways: live bars on a terminal, plain lines elsewhere, JSON for machines. */
import { z } from 'zod';
import { ProgressDetails } from '../../src/contract/entries.ts';
import { Stage, Status } from '../../src/contract/stages.ts';
import type { StreamEvent } from './follow.ts';

export interface Display {
  /** A sentence that is not an event. */
  note(text: string): void;
  event(event: StreamEvent): void;
  /** Gives the terminal back. Notes may follow, and a second call does nothing. */
  end(): void;
}

/** What every event carries, of which `status` and all entries are. */
const Visible = z.object({ status: Status, stage: Stage, progress: z.number(), message: z.string() });
export type Visible = z.infer<typeof Visible>;

export function visibleOf({ data }: StreamEvent): Visible | null {
  const visible = Visible.safeParse(data);
  return visible.success ? visible.data : null;
}

export function renditionsOf({ event, data }: StreamEvent): ProgressDetails['renditions'] {
  const details = event === 'progress' ? ProgressDetails.safeParse(data.details) : null;
  return details?.success ? details.data.renditions : [];
}

export const speedText = (speed: number | null): string => (speed === null ? '' : `${speed.toFixed(1)}x`);
