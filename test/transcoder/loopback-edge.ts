/**
 * A real HTTP server on the loopback interface that speaks the edge's side of the transcoder protocol, strictly: it
 * fences by lease, checks digests, batches, commits and order, and writes down in `violations` whatever a transcoder
 * must never do. Faults are asked for per request. Tests wait with `until`, which looks again after every request.
 */
import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { LeaseHeader } from '../../src/contract/ids.ts';
import type { Commit, Plan } from '../../src/contract/job.ts';
import {
  Announcement,
  Finish,
  type LeaseGrant,
  LeaseRequest,
  Release,
  Report,
  type TaskEntry,
} from '../../src/contract/transcoder.ts';

export type Route = 'lease' | 'report' | 'source' | 'outputs' | 'release' | 'finish' | 'pull' | 'ack' | 'fleet';

/** `before`/`after`: hang up instead of answering, without or with having done what was asked. */
export type Fault = { status: number; code?: string } | { hangUp: 'before' | 'after' } | { cutAfterBytes: number };

export interface LoopbackJob {
  readonly id: string;
  readonly source: Buffer;
  plan: Plan | null;
  lease: number;
  lease_ms: number;
  cancel: boolean;
  readonly batches: Report[];
  /** Report requests, repeated ones too. */
  readonly reports: Report[];
  readonly entries: TaskEntry[];
  readonly commits: Commit[];
  readonly outputs: Map<string, Buffer>;
  readonly ranges: Array<string | undefined>;
  readonly released: number[];
  finish: Finish | null;
}

interface Queued {
  readonly body: unknown;
  readonly lease_id: string;
  state: 'ready' | 'pulled' | 'acked';
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export class LoopbackEdge {
  readonly jobs = new Map<string, LoopbackJob>();
  readonly fleet: Announcement[] = [];
  readonly messages: Queued[] = [];
  readonly violations: string[] = [];
  /** The bearer token every request must carry; null: none is looked at. */
  token: string | null = null;
  fault: (route: Route, job: LoopbackJob | undefined) => Fault | null = () => null;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<LoopbackEdge> {
    const edge = new LoopbackEdge();
    edge.#server.listen(0, '127.0.0.1');
    await once(edge.#server, 'listening');
    return edge;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  addJob(source: Buffer, plan: Plan | null = null): LoopbackJob {
    const job: LoopbackJob = {
      ...{ id: randomUUID(), source, plan, lease: 0, lease_ms: 30_000, cancel: false, finish: null },
      ...{ batches: [], reports: [], entries: [], commits: [], ranges: [], released: [], outputs: new Map() },
    };
    this.jobs.set(job.id, job);
    this.push({ job_id: job.id, task: 'main' });
    return job;
  }

  push(body: unknown): Queued {
    const message: Queued = { body, lease_id: randomUUID(), state: 'ready' };
    this.messages.push(message);
    return message;
  }

  async until<T>(look: () => T | null | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found) return found;
      await once(this.#changes, 'change');
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    try {
      const inJob = /^\/internal\/jobs\/([0-9a-f-]+)\/(lease|report|source|release|finish|outputs)(?:\/(.+))?$/.exec(
        path,
      );
      const inQueue = /^\/client\/v4\/accounts\/local\/queues\/reelwire-transcode\/messages\/(pull|ack)$/.exec(path);
      const route = (inJob?.[2] ?? inQueue?.[1] ?? (path === '/internal/fleet' ? 'fleet' : '')) as Route;
      const body = await buffer(request);
      if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`) {
        throw new Refusal(401, 'unauthorized');
      }
      const job = this.jobs.get(inJob?.[1] ?? '');
      const fault = this.fault(route, job);
      if (fault && 'status' in fault) throw new Refusal(fault.status, fault.code ?? 'internal');
      if (fault && 'hangUp' in fault && fault.hangUp === 'before') return void request.socket.destroy();
      if (route === 'source') {
        return this.#source(
          request,
          response,
          this.#held(job, request),
          fault && 'cutAfterBytes' in fault ? fault : null,
        );
      }
      const answer = inJob ? this.#job(route, inJob[3] ?? '', job, request, body) : this.#other(route, body);
      if (fault && 'hangUp' in fault) return void request.socket.destroy();
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      const { status, code } = error instanceof Refusal ? error : new Refusal(500, 'internal');
      if (!(error instanceof Refusal)) this.violations.push(String(error));
      const problem = { type: 'about:blank', title: code, status, code, detail: '', request_id: '' };
      response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    } finally {
      this.#changes.emit('change');
    }
  }

  #other(route: Route, body: Buffer): unknown {
    const json: unknown = JSON.parse(body.toString());
    if (route === 'fleet') return this.fleet.push(this.#read(Announcement, json));
    if (route === 'pull') {
      const { batch_size } = json as { batch_size: number };
      const ready = this.messages.filter(({ state }) => state === 'ready').slice(0, batch_size);
      for (const message of ready) message.state = 'pulled';
      const messages = ready.map((message) => ({ ...message, id: message.lease_id, attempts: 1 }));
      return { success: true, errors: [], messages: [], result: { messages, message_backlog_count: 0 } };
    }
    if (route === 'ack') {
      const { acks } = json as { acks: Array<{ lease_id: string }> };
      for (const message of this.messages)
        if (acks.some((ack) => ack.lease_id === message.lease_id)) message.state = 'acked';
      return { success: true, errors: [], messages: [], result: { ackCount: acks.length, retryCount: 0 } };
    }
    throw new Refusal(404, 'not_found');
  }

  #job(route: Route, rest: string, job: LoopbackJob | undefined, request: IncomingMessage, body: Buffer): unknown {
    if (!job) throw new Refusal(404, 'job_not_found');
    if (route === 'outputs') return this.#output(this.#held(job, request), rest, request, body);
    const json: unknown = JSON.parse(body.toString());
    switch (route) {
      case 'lease': {
        this.#read(LeaseRequest, json);
        if (job.finish || job.cancel) throw new Refusal(409, 'lease_refused');
        job.lease += 1;
        const { lease, lease_ms, plan } = job;
        const source = { size_bytes: job.source.length, content_type: 'video/mp4' };
        return { lease, lease_ms, attempt: lease, source, options: {}, plan, committed: [] } satisfies LeaseGrant;
      }
      case 'report': {
        const report = this.#read(Report, json);
        this.#fence(job, report.lease);
        this.#report(job, report);
        return { cancel: job.cancel };
      }
      case 'release': {
        const { lease } = this.#read(Release, json);
        this.#fence(job, lease);
        job.released.push(lease);
        job.lease += 1;
        return {};
      }
      case 'finish': {
        const finish = this.#read(Finish, json);
        if (job.finish === null) this.#fence(job, finish.lease);
        job.finish ??= finish;
        return { status: 'result' in job.finish ? 'completed' : 'failed' };
      }
      default:
        throw new Refusal(404, 'not_found');
    }
  }

  #report(job: LoopbackJob, report: Report): void {
    job.reports.push(report);
    const taken = job.batches.find(({ batch, lease }) => batch === report.batch && lease === report.lease);
    if (taken) {
      if (!isDeepStrictEqual(taken, report))
        this.violations.push(`batch ${report.batch} came again with other content`);
      return;
    }
    const last = job.batches.filter(({ lease }) => lease === report.lease).length;
    if (report.batch !== last + 1) this.violations.push(`batch ${report.batch} after ${last}`);
    job.batches.push(report);
    for (const commit of report.commits) this.#commit(job, commit);
    for (const entry of report.entries) {
      job.entries.push(entry);
      if (entry.type === 'plan') job.plan = entry.plan;
      if (entry.type !== 'rendition') continue;
      const count = job.commits.filter(({ rendition, n }) => rendition === entry.name && n > 0).length;
      if (count !== entry.segments) this.violations.push(`${entry.name}: ${entry.segments} said, ${count} committed`);
    }
  }

  #commit(job: LoopbackJob, commit: Commit): void {
    const stored = job.outputs.get(`${commit.rendition}/${commit.n === 0 ? 'init.mp4' : `${commit.n}.m4s`}`);
    const before = job.commits.filter(({ rendition }) => rendition === commit.rendition).length;
    const isVideoSegment = commit.rendition !== 'audio' && commit.n > 0;
    if (!stored || stored.length !== commit.bytes)
      this.violations.push(`${commit.rendition} ${commit.n} is not stored`);
    else if (digest(stored).toString('hex') !== commit.sha256) this.violations.push('a commit has another digest');
    if (before !== commit.n) this.violations.push(`${commit.rendition} ${commit.n} committed after ${before} others`);
    if (isVideoSegment !== (commit.keyframe !== null))
      this.violations.push(`keyframe of ${commit.rendition} ${commit.n}`);
    job.commits.push(commit);
  }

  #output(job: LoopbackJob, path: string, request: IncomingMessage, body: Buffer): unknown {
    if (!/^(audio|\d+p)\/(init\.mp4|\d+\.m4s)$/.test(path)) this.violations.push(`a strange output path: ${path}`);
    if (request.headers['content-length'] !== String(body.length)) this.violations.push('an upload without its length');
    const claimed = request.headers['repr-digest'];
    if (claimed !== `sha-256=:${digest(body).toString('base64')}:`) throw new Refusal(400, 'digest_mismatch');
    const stored = job.outputs.get(path);
    if (stored && !stored.equals(body)) throw new Refusal(409, 'object_exists');
    job.outputs.set(path, body);
    return {};
  }

  #source(
    request: IncomingMessage,
    response: ServerResponse,
    job: LoopbackJob,
    cut: { cutAfterBytes: number } | null,
  ): void {
    const range = request.headers.range;
    job.ranges.push(range);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const part = job.source.subarray(from);
    const contentRange = `bytes ${from}-${job.source.length - 1}/${job.source.length}`;
    response.writeHead(range ? 206 : 200, {
      'content-length': part.length,
      ...(range && { 'content-range': contentRange }),
    });
    if (cut) response.write(part.subarray(0, cut.cutAfterBytes), () => request.socket.destroy());
    else response.end(part);
  }

  #held(job: LoopbackJob | undefined, request: IncomingMessage): LoopbackJob {
    if (!job) throw new Refusal(404, 'job_not_found');
    this.#fence(job, LeaseHeader.parse(request.headers['reelwire-lease']));
    return job;
  }

  #fence(job: LoopbackJob, lease: number): void {
    if (!this.jobs.has(job.id)) throw new Refusal(404, 'job_not_found');
    if (job.lease !== lease || job.finish) throw new Refusal(409, 'lease_lost');
  }

  #read<T>(schema: z.ZodType<T>, json: unknown): T {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    this.violations.push(parsed.error.message);
    throw new Refusal(400, 'invalid_request');
  }
}

const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
