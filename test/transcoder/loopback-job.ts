/**
 * A job as the loopback edge keeps it, over all its attempts: what is stored and committed (loopback-takes.ts), what is
 * whole, measured and made besides. Whatever a transcoder must never do is written down in `violations`.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { segmentName, takePath } from '../../src/contract/ids.ts';
import { type Commit, JobOptions, type Plan, type TakeSegment, type Vmaf } from '../../src/contract/job.ts';
import type { Finish, LeaseGrant, Report, TaskEntry } from '../../src/contract/transcoder.ts';
import { isArtifact, isSegment, LoopbackTakes, type Whole } from './loopback-takes.ts';
import { LoopbackUploads, Refusal } from './loopback-uploads.ts';

type Artifact = Extract<TaskEntry, { type: 'artifact' }>;

export class LoopbackJob {
  readonly id = randomUUID();
  readonly source: Buffer;
  plan: Plan | null;
  options: JobOptions;
  /** What the edge says that the source has; its true size, unless a test lies. */
  size: number;
  lease = 0;
  lease_ms = 30_000;
  cancel = false;
  finish: Finish | null = null;
  readonly batches: Report[] = [];
  /** Report requests, repeated ones too. */
  readonly reports: Report[] = [];
  readonly entries: TaskEntry[] = [];
  /** By `<rendition or artifact>/<name>`: what readers have, and what was stored and may yet be committed. */
  readonly outputs = new Map<string, Buffer>();
  /** Of every lease, by `<rendition>/t<lease>/<name>`. */
  readonly takes = new Map<string, Buffer>();
  readonly taken: LoopbackTakes;
  readonly validated = new Map<string, Vmaf>();
  readonly artifacts = new Map<Artifact['name'], Artifact['files']>();
  readonly ranges: Array<string | undefined> = [];
  /** Paths of outputs that were asked for. */
  readonly fetched: string[] = [];
  readonly released: number[] = [];
  readonly #violations: string[];
  readonly #uploads: LoopbackUploads;

  constructor(source: Buffer, plan: Plan | null, options: Partial<JobOptions>, violations: string[]) {
    this.source = source;
    this.size = source.length;
    this.plan = plan;
    this.options = JobOptions.parse(options);
    this.#violations = violations;
    this.#uploads = new LoopbackUploads(violations);
    this.taken = new LoopbackTakes((what) => this.#violate(what));
  }

  /** What readers have of the renditions, init segments (n = 0) first. */
  get commits(): TakeSegment[] {
    return this.taken.commits;
  }

  get whole(): Map<string, Whole> {
    return this.taken.whole;
  }

  grant(): LeaseGrant {
    this.lease += 1;
    const { lease, lease_ms, plan, options } = this;
    return {
      ...{ lease, lease_ms, attempt: lease, options, plan },
      source: { size_bytes: this.size, content_type: 'video/mp4' },
      committed: this.taken.grant(plan),
      validated: [...this.validated.keys()],
      artifacts: [...this.artifacts.keys()],
    };
  }

  report(report: Report): void {
    this.reports.push(report);
    const taken = this.batches.find(({ batch, lease }) => batch === report.batch && lease === report.lease);
    if (taken) {
      if (!isDeepStrictEqual(taken, report)) this.#violate(`batch ${report.batch} came again with other content`);
      return;
    }
    const last = this.batches.filter(({ lease }) => lease === report.lease).length;
    if (report.batch !== last + 1) this.#violate(`batch ${report.batch} after ${last}`);
    this.batches.push(report);
    for (const commit of report.commits) this.#commit(commit);
    for (const entry of report.entries) this.#entry(entry);
  }

  put(path: string, headers: IncomingHttpHeaders, body: Buffer): object {
    if (!isSegment(path) && !isArtifact(path)) this.#violate(`a strange output path: ${path}`);
    this.#checkBody(headers, body);
    const stored = this.takes.get(this.#inTake(path));
    if (stored && !stored.equals(body)) throw new Refusal(409, 'object_exists');
    this.#store(path, body);
    return {};
  }

  /** `rest` is what comes after `/parts`. */
  parts(path: string, rest: string, headers: IncomingHttpHeaders, body: Buffer): object {
    if (path !== 'mp4/video.mp4') this.#violate(`parts of ${path}`);
    if (rest === '') return this.#uploads.begin();
    if (rest === '/complete') {
      this.#store(path, this.#uploads.complete(body.toString()));
      return {};
    }
    this.#checkBody(headers, body);
    return this.#uploads.part(rest, body);
  }

  output(path: string): Buffer {
    this.fetched.push(path);
    const found = this.takes.get(path);
    if (!found) throw new Refusal(404, 'not_found');
    return found;
  }

  #entry(entry: TaskEntry): void {
    this.entries.push(entry);
    switch (entry.type) {
      case 'plan':
        if (this.plan) this.#violate('a second plan');
        this.plan = entry.plan;
        break;
      case 'rendition':
        this.taken.say(this.lease, entry);
        this.#show();
        break;
      case 'validated':
        if (!this.whole.has(entry.name)) this.#violate(`${entry.name} was measured before it was whole`);
        if (this.validated.has(entry.name)) this.#violate(`${entry.name} was measured again`);
        this.validated.set(entry.name, entry.vmaf);
        break;
      case 'artifact':
        for (const { name, bytes } of entry.files) {
          if (this.outputs.get(`${entry.name}/${name}`)?.length !== bytes) this.#violate(`${name} is not stored`);
        }
        if (this.artifacts.has(entry.name)) this.#violate(`${entry.name} was made again`);
        this.artifacts.set(entry.name, entry.files);
        break;
    }
  }

  #commit(commit: Commit): void {
    const { rendition, n } = commit;
    const stored = this.takes.get(takePath(rendition, this.lease, segmentName(n)));
    const isVideoSegment = rendition !== 'audio' && n > 0;
    if (!stored || stored.length !== commit.bytes) this.#violate(`${rendition} ${n} is not stored`);
    else if (digest(stored).toString('hex') !== commit.sha256) this.#violate('a commit has another digest');
    if (isVideoSegment !== (commit.keyframe !== null)) this.#violate(`keyframe of ${rendition} ${n}`);
    this.taken.commit(this.lease, commit);
    this.#show();
  }

  #store(path: string, body: Buffer): void {
    this.outputs.set(path, body);
    this.takes.set(this.#inTake(path), body);
    this.#show();
  }

  readonly #inTake = (path: string): string => path.replace('/', `/t${this.lease}/`);

  /** What readers have takes the place of what was stored later. */
  #show(): void {
    for (const { rendition, take, n } of this.commits) {
      const bytes = this.takes.get(takePath(rendition, take, segmentName(n)));
      if (bytes) this.outputs.set(`${rendition}/${segmentName(n)}`, bytes);
    }
  }

  #checkBody(headers: IncomingHttpHeaders, body: Buffer): void {
    if (headers['content-length'] !== String(body.length)) this.#violate('an upload without its length');
    if (headers['repr-digest'] !== `sha-256=:${digest(body).toString('base64')}:`) {
      throw new Refusal(400, 'digest_mismatch');
    }
  }

  #violate(what: string): void {
    this.#violations.push(what);
  }
}

/** The source or the asked range of it; `cut`: the connection ends after so many bytes. */
export function sendSource(
  request: IncomingMessage,
  response: ServerResponse,
  { source, ranges }: LoopbackJob,
  cut: number | null,
): void {
  const { range } = request.headers;
  ranges.push(range);
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const part = source.subarray(from);
  const contentRange = range && { 'content-range': `bytes ${from}-${source.length - 1}/${source.length}` };
  response.writeHead(range ? 206 : 200, { 'content-length': part.length, ...contentRange });
  if (cut === null) response.end(part);
  else response.write(part.subarray(0, cut), () => request.socket.destroy());
}

const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
