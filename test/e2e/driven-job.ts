/**
 * A job whose transcoder is the test: it takes the lease, reports what it likes when it likes, and finishes with one
 * stored segment, over the transcoder's HTTP API. So events come when a test wants them, and nothing is encoded.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Accepted } from '../../src/contract/api.ts';
import { Entry, isVisible, type VisibleEntry } from '../../src/contract/entries.ts';
import type { Plan } from '../../src/contract/job.ts';
import {
  FinishAnswer,
  LeaseGrant,
  type Report,
  type TaskEntry,
  type TaskError,
} from '../../src/contract/transcoder.ts';

const PAGE = 1000;
const RUNG = '360p';
const PLAN: Plan = {
  duration: 4,
  segment_seconds: 4,
  filters: 'fps=30/1:start_time=0',
  video: [
    {
      ...{ name: RUNG, width: 640, height: 360, fps: { num: 30, den: 1 }, gop: 120 },
      ...{ crf: 23, maxrate: 800_000, bufsize: 1_600_000, codecs: 'avc1.64001e' },
    },
  ],
  audio: null,
};

/** The names of the events that are entries of the log. */
export const EVENTS: string[] = Entry.options
  .map(({ shape }) => shape.type.value)
  .filter((name) => !name.startsWith('_'));

export class DrivenJob {
  readonly id: string;
  readonly #edge: string;
  #lease = 0;
  #batch = 0;
  #told = 0;

  constructor(edge: string, id: string) {
    this.#edge = edge;
    this.id = id;
  }

  static async submit(edge: string): Promise<DrivenJob> {
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await fetch(`${edge}/process?key=clip`, { method: 'POST', body: 'no video', headers });
    return new DrivenJob(edge, Accepted.parse(await answer.json()).job_id);
  }

  /** Takes the lease and begins to transcode. */
  async begin(): Promise<void> {
    const request = { task: 'main', transcoder: 'test-box', request_id: this.id };
    this.#lease = LeaseGrant.parse(await this.#post('lease', request)).lease;
    await this.report([
      { type: 'plan', plan: PLAN },
      { type: 'stage', stage: 'transcoding', message: 'Transcoding' },
    ]);
  }

  async report(entries: TaskEntry[], commits: Report['commits'] = []): Promise<void> {
    this.#batch += 1;
    await this.#post('report', { lease: this.#lease, batch: this.#batch, entries, commits });
  }

  /** Logs `count` (1-100) entries of about 300 bytes; with `progress` among them when it is due. */
  async tell(count: number): Promise<void> {
    const details = { renditions: [], completed: 0, total: 1, eta_seconds: null, attempt: 1 };
    const warnings = Array.from({ length: count }, (): TaskEntry => {
      this.#told += 1;
      return { type: 'warning', code: 'decode_errors', message: `Frame ${this.#told} of 漢字 is damaged`, details: {} };
    });
    const progress = 10 + Math.min(39, Math.floor(this.#told / 100));
    const message = `${this.#told} frames looked at`;
    await this.report([...warnings, { type: 'progress', stage: 'transcoding', progress, message, details }]);
  }

  /** Stores and commits the one segment, goes through the other stages and completes. */
  async complete(): Promise<void> {
    const commits = await Promise.all([this.#store(0), this.#store(1)]);
    await this.report(
      [
        { type: 'rendition', name: RUNG, segments: 1 },
        { type: 'stage', stage: 'validation', message: 'Validating' },
        { type: 'stage', stage: 'packaging', message: 'Packaging' },
      ],
      commits,
    );
    await this.#finish({ result: { duration_seconds: PLAN.duration } }, 'completed');
  }

  async fail(error: TaskError): Promise<void> {
    await this.#finish({ error }, 'failed');
  }

  async cancel(): Promise<void> {
    const answer = await fetch(`${this.#edge}/jobs/${this.id}/cancel`, { method: 'POST' });
    if (answer.status !== 202) throw new Error(await answer.text());
  }

  /** The visible log. */
  async log(): Promise<VisibleEntry[]> {
    const entries: VisibleEntry[] = [];
    for (;;) {
      const after = entries.at(-1)?.seq ?? 0;
      const answer = await fetch(`${this.#edge}/jobs/${this.id}/events?after=${after}&limit=${PAGE}`);
      const { events } = z.object({ events: z.array(Entry) }).parse(await answer.json());
      entries.push(...events.filter(isVisible));
      if (events.length < PAGE) return entries;
    }
  }

  async #store(n: number): Promise<Report['commits'][number]> {
    const bytes = `segment ${n}, made for this test`;
    const sha256 = createHash('sha256').update(bytes);
    const headers = {
      'Repr-Digest': `sha-256=:${sha256.copy().digest('base64')}:`,
      'Reelwire-Lease': `main:${this.#lease}`,
    };
    const name = n === 0 ? 'init.mp4' : `${n}.m4s`;
    const address = `${this.#edge}/internal/jobs/${this.id}/outputs/${RUNG}/${name}`;
    const answer = await fetch(address, { method: 'PUT', body: bytes, headers });
    if (answer.status !== 201) throw new Error(await answer.text());
    const keyframe = n === 0 ? null : { offset: 0, length: 7 };
    const duration = n === 0 ? 0 : PLAN.duration;
    return { rendition: RUNG, n, duration, bytes: bytes.length, sha256: sha256.digest('hex'), keyframe };
  }

  async #finish(end: object, expected: string): Promise<void> {
    const { status } = FinishAnswer.parse(await this.#post('finish', { lease: this.#lease, ...end }));
    if (status !== expected) throw new Error(`The job is ${status}`);
  }

  async #post(call: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`${this.#edge}/internal/jobs/${this.id}/${call}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
    if (!answer.ok) throw new Error(`${call}: ${await answer.text()}`);
    return answer.json();
  }
}
