/**
 * A real HTTP server on the loopback interface that speaks the edge's side of the transcoder protocol, strictly: it
 * fences by lease, and its jobs (loopback-job.ts) write down in `violations` whatever a transcoder must never do.
 * Faults are asked for per request. Tests wait with `until`, which looks again after every request.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import { LeaseHeader } from '../../src/contract/ids.ts';
import type { JobOptions, Plan } from '../../src/contract/job.ts';
import { Announcement, Finish, type LeaseGrant, LeaseRequest, Release, Report } from '../../src/contract/transcoder.ts';
import { LoopbackJob, sendSource } from './loopback-job.ts';
import { HIGH, LoopbackQueues, QUEUE, type Queued } from './loopback-queues.ts';
import { Refusal } from './loopback-uploads.ts';

export { LoopbackJob };

export type Route = 'lease' | 'report' | 'source' | 'outputs' | 'release' | 'finish' | 'pull' | 'ack' | 'fleet';

/**
 * `before`/`after`: hang up instead of answering, without or with having done what was asked. `answerAfter`: do it, and
 * answer late.
 */
export type Fault =
  | { status: number; code?: string }
  | { hangUp: 'before' | 'after' }
  | { cutAfterBytes: number }
  | { answerAfter: Promise<unknown> };

/** Who holds a job: the same request gets the same answer again, another one a refusal. */
interface Holder {
  readonly request_id: string;
  readonly grant: LeaseGrant;
}

export class LoopbackEdge {
  readonly jobs = new Map<string, LoopbackJob>();
  readonly fleet: Announcement[] = [];
  readonly queues = new LoopbackQueues();
  readonly messages = this.queues.messages;
  readonly violations: string[] = [];
  /** The bearer token every request must carry; null: none is looked at. */
  token: string | null = null;
  fault: (route: Route, job: LoopbackJob | undefined, queue: string | undefined) => Fault | null = () => null;
  readonly #holders = new Map<string, Holder>();
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
    this.ring(job);
    return job;
  }

  /** Another attempt for a job that ended, or whose transcoder did. */
  again(job: LoopbackJob): void {
    job.finish = null;
    this.#holders.delete(job.id);
    this.ring(job);
  }

  ring({ id, options }: LoopbackJob): Queued {
    return this.push({ job_id: id, task: 'main' }, options.priority === 'high' ? HIGH : QUEUE);
  }

  push(body: unknown, queue = QUEUE): Queued {
    return this.queues.push(body, queue);
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
      const inQueue = /^\/client\/v4\/accounts\/local\/queues\/([\w-]+)\/messages\/(pull|ack)$/.exec(path);
      const queue = inQueue?.[1];
      const route = (inJob?.[2] ?? inQueue?.[2] ?? (path === '/internal/fleet' ? 'fleet' : '')) as Route;
      const body = await buffer(request);
      if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`) {
        throw new Refusal(401, 'unauthorized');
      }
      const job = this.jobs.get(inJob?.[1] ?? '');
      const fault = this.fault(route, job, queue);
      if (fault && 'status' in fault) throw new Refusal(fault.status, fault.code ?? 'internal');
      if (fault && 'hangUp' in fault && fault.hangUp === 'before') return void request.socket.destroy();
      if (route === 'source') {
        const cut = fault && 'cutAfterBytes' in fault ? fault.cutAfterBytes : null;
        return sendSource(request, response, this.#held(job, request), cut);
      }
      if (route === 'outputs' && request.method === 'GET') {
        const bytes = this.#held(job, request).output(inJob?.[3] ?? '');
        return void response.writeHead(200).end(bytes);
      }
      const answer = inJob ? this.#job(route, inJob[3] ?? '', job, request, body) : this.#other(route, queue, body);
      if (fault && 'hangUp' in fault) return void request.socket.destroy();
      if (fault && 'answerAfter' in fault) {
        this.#changes.emit('change');
        await fault.answerAfter;
      }
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

  #other(route: Route, queue: string | undefined, body: Buffer): unknown {
    const json: unknown = JSON.parse(body.toString());
    if (route === 'fleet') return this.fleet.push(this.#read(Announcement, json));
    if (route === 'pull') return this.queues.pull(queue, json);
    if (route === 'ack') return this.queues.ack(queue, json);
    throw new Refusal(404, 'not_found');
  }

  #job(route: Route, rest: string, job: LoopbackJob | undefined, request: IncomingMessage, body: Buffer): unknown {
    if (!job) throw new Refusal(404, 'job_not_found');
    if (route === 'outputs') return this.#output(this.#held(job, request), rest, request, body);
    const json: unknown = JSON.parse(body.toString());
    switch (route) {
      case 'lease':
        return this.#lease(job, this.#read(LeaseRequest, json));
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

  #lease(job: LoopbackJob, { request_id }: LeaseRequest): LeaseGrant {
    const holder = this.#holders.get(job.id);
    const isHeld = holder?.grant.lease === job.lease && !job.finish;
    if (isHeld && holder.request_id === request_id) return holder.grant;
    if (isHeld || job.finish || job.cancel) throw new Refusal(409, 'lease_refused');
    const grant = job.grant();
    this.#holders.set(job.id, { request_id, grant });
    return grant;
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
