/** The events of a stream, made of the entries of the log: each is `id`, `event`, and `data` as one line of JSON. */
import { z } from 'zod';
import { Entry } from '../../contract/entries.ts';
import type { ProblemCode } from '../../contract/errors.ts';
import { JobId } from '../../contract/ids.ts';
import { Job } from '../../contract/job.ts';

const visible = Entry.options.filter(({ shape }) => !shape.type.value.startsWith('_'));

/** The `data` of each event by its schema's name: `ProgressData`. */
export const EVENT_DATA: Record<string, z.ZodType> = Object.fromEntries(
  visible.map(({ shape }) => [`${capital(shape.type.value)}Data`, shape.data]),
);

export const StatusData = Job.extend({
  job_id: JobId,
  message: z.literal('Connected to progress stream'),
  timestamp: z.iso.datetime(),
});

export const UnavailableData = z.object({
  job_id: JobId,
  code: z.enum(['job_not_found', 'too_many_watchers'] satisfies ProblemCode[]),
  message: z.string(),
  timestamp: z.iso.datetime(),
});

const event = (name: string, data: z.ZodType, id: z.ZodType) => z.object({ id, event: z.literal(name), data });

const Seq = z.int().min(1);
const events = [
  event('status', StatusData, z.int().min(0)),
  ...visible.map(({ shape }) => event(shape.type.value, shape.data, Seq)),
];
const done = z.object({ event: z.literal('done'), data: z.object({}) });

/** An event of `GET /jobs/:id/stream`. */
export const StreamEvent = z.discriminatedUnion('event', [done, ...events]);

/** In `GET /streams` an id is the ids of all jobs in the order asked, joined by dots. */
const Ids = z.string().regex(/^\d+(\.\d+)*$/);
const inStreams = (one: ReturnType<typeof event>) => one.extend({ id: Ids });
const unavailable = event('unavailable', UnavailableData, Ids);

/** An event of `GET /streams`. */
export const StreamsEvent = z.discriminatedUnion('event', [unavailable, ...events.map(inStreams)]);

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
