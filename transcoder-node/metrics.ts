/**
 * What this process counts, for Prometheus. Counting costs next to nothing, so it is done whether somebody asks or not;
 * `status.ts` serves it.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { JobErrorCode } from '../src/contract/errors.ts';

export const registry = new Registry();
const registers = [registry];

/** `lost`: the edge gave the task to another. `released`: handed back at a shutdown. */
export const RESULTS = ['completed', 'failed', 'cancelled', 'released', 'lost'] as const;
export type Result = (typeof RESULTS)[number];

/** `fetching`: download and probe. The others as users see them. */
export const STAGES = ['fetching', 'transcoding', 'validation', 'packaging'] as const;
export type TimedStage = (typeof STAGES)[number];

export const attempts = new Counter({
  name: 'reelwire_transcoder_attempts_total',
  help: 'Tasks that are over, by how they ended.',
  labelNames: ['result'],
  registers,
});

export const failures = new Counter({
  name: 'reelwire_transcoder_failures_total',
  help: 'Tasks that failed, by the code of their error.',
  labelNames: ['code'],
  registers,
});

export const stageSeconds = new Histogram({
  name: 'reelwire_transcoder_stage_seconds',
  help: 'How long stages took that came to their end.',
  labelNames: ['stage'],
  buckets: [1, 5, 15, 60, 300, 900, 3600, 14_400],
  registers,
});

export const encodeSpeed = new Histogram({
  name: 'reelwire_transcoder_encode_speed',
  help: 'Seconds of video that were encoded in a second, all renditions together; of encodes from the beginning.',
  buckets: [0.1, 0.25, 0.5, 1, 2, 4, 8, 16],
  registers,
});

export const requestRetries = new Counter({
  name: 'reelwire_transcoder_request_retries_total',
  help: 'Requests to the edge that were sent again, because there was no answer to build on.',
  registers,
});

export const slots = new Gauge({
  name: 'reelwire_transcoder_slots',
  help: 'Tasks that can run side by side.',
  registers,
});

export const slotsBusy = new Gauge({ name: 'reelwire_transcoder_slots_busy', help: 'Tasks that run.', registers });

export const diskFree = new Gauge({
  name: 'reelwire_transcoder_disk_free_bytes',
  help: 'Free space where sources and segments lie.',
  registers,
});

// A rate can be taken of a counter only from a value on: what has not happened yet is told as 0.
for (const result of RESULTS) attempts.inc({ result }, 0);
for (const code of JobErrorCode.options) failures.inc({ code }, 0);
for (const stage of STAGES) stageSeconds.zero({ stage });
