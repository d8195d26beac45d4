/** What is shown while videos are on their way. Three ways: live bars on a terminal, plain lines elsewhere, JSON for machines. */
import type { EventData, StreamEvent } from '../../client/index.ts';

/** Bytes of a file. */
export interface Sent {
  sent: number;
  total: number;
}

/** `video` is what people call it: the file's name, or the job's; no two at a time have the same. */
export interface Display {
  /** A sentence that is no event. */
  note(text: string): void;
  sent(video: string, progress: Sent): void;
  event(video: string, event: StreamEvent): void;
  /** Gives the terminal back. Notes may follow, and a second call does nothing. */
  end(): void;
}

type Details = NonNullable<EventData['progress']['details']>;
export type RenditionProgress = Extract<Details, { renditions: unknown }>['renditions'][number];

const progressOf = ({ event, data }: StreamEvent): Extract<Details, { renditions: unknown }> | null =>
  event === 'progress' && data.details !== null && 'renditions' in data.details ? data.details : null;

export const renditionsOf = (event: StreamEvent): RenditionProgress[] => progressOf(event)?.renditions ?? [];

/** Seconds until the job is done, as the server reckons; null when it does not say. */
export const etaOf = (event: StreamEvent): number | null => progressOf(event)?.eta_seconds ?? null;
