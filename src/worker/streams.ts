/**
 * Several jobs over one connection: browsers allow only a few. Each job's own stream is opened, and its events are
 * passed on under a common id, the seqs of all jobs in the order asked, joined by dots; one Last-Event-ID so resumes
 * them all. Where the place of a job is empty in it, that job's stream is a fresh one. A job that nobody knows, or that is not there for this caller, or that too many watch already, is told as
 * an event, `unavailable`, and disturbs no other.
 *
 * An event counts as passed on when it is written, and writes keep their order, so an id never claims more than the
 * client has. The connection ends when all streams have, when one breaks, when the client is gone, or after ten
 * minutes, because the more jobs one connection holds the more a long-lived one is in the way of a new deployment;
 * each time, all that is open is closed in one place, and a client resumes.
 */
import type { Context } from 'hono';
import { StreamsQuery } from '../contract/api.ts';
import { RETRY } from '../durable/job/sse.ts';
import { sees } from './access/principal.ts';
import type { App } from './app.ts';
import { jobNotFound } from './job-object.ts';
import { type ProblemError, parse } from './problems.ts';
import { lastEventId, openStream, STREAM_HEADERS, tooManyWatchers } from './stream.ts';

const LONGEST_MS = 10 * 60_000;
const JITTER_MS = 60_000;

/** A comment of one stream is passed on only when all have been silent for about so long. */
const SILENCE_MS = 10_000;

interface Source {
  readonly job: string;
  readonly reader: ReadableStreamDefaultReader<string> | null;
  /** Why there is no stream. */
  readonly problem: ProblemError | null;
}

export async function streams(c: Context<App>): Promise<Response> {
  const { jobs } = parse(StreamsQuery, c.req.query());
  const given = lastEventId(c).split('.');
  const resumes = given.length === jobs.length && given.every((seq) => /^\d{0,15}$/.test(seq));
  const seqs = resumes ? given : jobs.map(() => '');

  const { signal } = c.req.raw;
  const answers = await Promise.all(
    jobs.map((job, i) =>
      sees(c, job) ? openStream(c.env, job, seqs[i] ?? '', signal) : new Response(null, { status: 404 }),
    ),
  );
  if (answers.every(({ status }) => status === 429)) throw tooManyWatchers();
  const isOver = answers.every(({ status }, i) => status === 204 || (seqs[i] !== '' && status === 404));
  if (isOver) return c.body(null, 204);
  const sources = answers.map(({ status, body }, i): Source => {
    const reader = status === 200 && body ? body.pipeThrough(new TextDecoderStream()).getReader() : null;
    const problem = status === 404 ? jobNotFound() : status === 429 ? tooManyWatchers() : null;
    return { job: jobs[i] ?? '', reader, problem };
  });
  const merged = new Merged(sources, seqs);
  c.executionCtx.waitUntil(merged.run());
  return new Response(merged.readable, { headers: STREAM_HEADERS });
}

class Merged {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #sources: readonly Source[];
  readonly #seqs: string[];
  #wroteAt = Date.now();

  /** `seqs`: where each stream begins; empty for a fresh one. */
  constructor(sources: readonly Source[], seqs: readonly string[]) {
    const { readable, writable } = new IdentityTransformStream();
    this.readable = readable;
    this.#writer = writable.getWriter();
    this.#sources = sources;
    this.#seqs = seqs.map((seq) => seq || '0');
  }

  /** To the end of the connection. Never rejects. */
  async run(): Promise<void> {
    const timer = setTimeout(() => void this.#cancel(), LONGEST_MS + JITTER_MS * (Math.random() - 0.5));
    try {
      await this.#write(RETRY);
      await Promise.all(this.#sources.map((source, i) => this.#pass(source, i)));
      await this.#writer.close();
    } catch (error) {
      await this.#writer.abort(error).catch(() => undefined);
    } finally {
      clearTimeout(timer);
      await this.#cancel();
    }
  }

  async #pass({ job, reader, problem }: Source, i: number): Promise<void> {
    if (problem) {
      const { code, message } = problem;
      const data = JSON.stringify({ job_id: job, code, message, timestamp: new Date().toISOString() });
      await this.#write(`id: ${this.#seqs.join('.')}\nevent: unavailable\ndata: ${data}\n\n`);
    }
    if (!reader) return;
    for await (const block of blocksOf(reader)) {
      const [, seq, rest] = /^id: (\d+)\n([\s\S]*)$/.exec(block) ?? [];
      if (seq !== undefined) {
        this.#seqs[i] = seq;
        await this.#write(`id: ${this.#seqs.join('.')}\n${rest}\n\n`);
      } else if (block.startsWith(':') && Date.now() - this.#wroteAt > SILENCE_MS) {
        await this.#write(`${block}\n\n`);
      }
    }
  }

  #write(text: string): Promise<void> {
    this.#wroteAt = Date.now();
    return this.#writer.write(this.#encoder.encode(text));
  }

  /** A reader that is cancelled tells its end to the loop that reads it. */
  async #cancel(): Promise<void> {
    await Promise.allSettled(this.#sources.map(({ reader }) => reader?.cancel()));
  }
}

/** What stands between empty lines. */
async function* blocksOf(reader: ReadableStreamDefaultReader<string>): AsyncGenerator<string> {
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}
