/**
 * A real HTTP server on the loopback interface that speaks the edge's side of the transcoder protocol, strictly: it
 * fences by lease, and its jobs (loopback-job.ts) write down in `violations` whatever a transcoder must never do.
 * Faults are asked for per request. Tests wait with `until`, which looks again after every request.
 */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import { LeaseHeader } from '../../src/contract/ids.ts';
import type { JobOptions, Plan } from '../../src/contract/job.ts';
import { Announcement, Finish, LeaseRequest, Release, Report } from '../../src/contract/transcoder.ts';
import { LoopbackJob, sendSource } from './loopback-job.ts';
import { Refusal } from './loopback-uploads.ts';

export { LoopbackJob };

export type Route = 'lease' | 'report' | 'source' | 'outputs' | 'release' | 'finish' | 'pull' | 'ack' | 'fleet';

/** `before`/`after`: hang up instead of answering, without or with having done what was asked. */
export type Fault = { status: number; code?: string } | { hangUp: 'before' | 'after' } | { cutAfterBytes: number };

interface Queued {
  readonly body: unknown;
  readonly lease_id: string;
  state: 'ready' | 'pulled' | 'acked';
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

  addJob(source: Buffer, plan: Plan | null = null, options: Partial<JobOptions> = {}): LoopbackJob {
    const job = new LoopbackJob(source, plan, options, this.violations);
    this.jobs.set(job.id, job);
    this.push({ job_id: job.id, task: 'main' });
    return job;
  }

  /** Another attempt for a job that ended. */
  again(job: LoopbackJob): void {
    job.finish = null;
    this.push({ job_id: job.id, task: 'main' });
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
        const cut = fault && 'cutAfterBytes' in fault ? fault.cutAfterBytes : null;
        return sendSource(request, response, this.#held(job, request), cut);
      }
      if (route === 'outputs' && request.method === 'GET') {
        return void response.writeHead(200).end(this.#held(job, request).output(inJob?.[3] ?? ''));
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
        return job.grant();
      }
      case 'report': {
        const report = this.#read(Report, json);
        this.#fence(job, report.lease);
        job.report(report);
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

  #output(job: LoopbackJob, rest: string, { headers }: IncomingMessage, body: Buffer): object {
    const [, path, parts] = /^([^?]+?)(?:\/parts(.*))?$/.exec(rest) ?? [];
    return parts === undefined ? job.put(path ?? '', headers, body) : job.parts(path ?? '', parts, headers, body);
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
