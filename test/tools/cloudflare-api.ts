/**
 * A stand-in for Cloudflare's API, as far as a deployment asks it: one account in memory, and a list of all that was
 * changed. wrangler and the SDK find it by CLOUDFLARE_API_BASE_URL. What it does not know it answers with 404 and notes.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';

const Json = z.record(z.string(), z.unknown());

interface Consumer {
  type: string;
  [setting: string]: unknown;
}

interface Asked {
  path: string;
  query: URLSearchParams;
  json: Record<string, unknown>;
  raw: string;
}

class Refused extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class CloudflareApi {
  accounts = [{ id: 'acc1', name: 'Ours' }];
  readonly buckets = new Map<string, { id: string }[]>();
  readonly databases = new Map<string, { uuid: string; tables: string[] }>();
  readonly queues = new Map<string, { id: string; consumers: Consumer[] }>();
  readonly workers = new Map<string, { bindings: unknown[]; secrets: Map<string, string> }>();
  readonly schedules: unknown[] = [];
  /** Every request that changed something, in order: method and path below the account. */
  readonly changes: string[] = [];
  /** How many requests there were, and which of them are not known here. */
  requests = 0;
  readonly unknown: string[] = [];
  /** Instead of the answer: a status, a code of theirs, their words. */
  refuse: (method: string, path: string) => [number, number, string] | null = () => null;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<CloudflareApi> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new CloudflareApi(server);
  }

  /** What wrangler and the SDK need to know to come here. */
  get environment(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_API_TOKEN: 'a-token-of-this-test',
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  addQueue(name: string, ...consumers: Consumer[]): void {
    this.queues.set(name, { id: `id-of-${name}`, consumers });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const { method = 'GET' } = request;
    const url = new URL(request.url ?? '/', 'http://api');
    const path = url.pathname.replace(/^\/client\/v4/, '').replace(/^\/accounts\/acc1(?=\/)/, '');
    const raw = (await buffer(request)).toString();
    const say = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    try {
      const refusal = this.refuse(method, path);
      if (refusal) throw new Refused(...refusal);
      const json = raw.startsWith('{') ? (Json.safeParse(JSON.parse(raw)).data ?? {}) : {};
      const whole = this.#answer(method, { path, query: url.searchParams, json, raw });
      if (method !== 'GET' && !path.endsWith('/query')) this.changes.push(`${method} ${path}`);
      say(200, { success: true, errors: [], messages: [], ...pageOf(whole, url.searchParams) });
    } catch (error) {
      const { status, code, message } = error instanceof Refused ? error : new Refused(500, 1, String(error));
      if (code <= 1) this.unknown.push(`${method} ${path}: ${message}`);
      say(status, { success: false, errors: [{ code, message }], messages: [], result: null });
    }
  }

  #answer(method: string, asked: Asked): unknown {
    const [room = '', ...rest] = asked.path.split('/').slice(1);
    const name = rest.join('/');
    const key = `${method} ${room}`;
    if (key === 'GET accounts') return this.accounts;
    if (room === 'r2') return this.#r2(method, rest, asked);
    if (room === 'd1') return this.#d1(method, rest, asked);
    if (room === 'queues') return this.#queue(method, rest, asked);
    if (room === 'workers') return this.#worker(method, name, asked);
    throw new Refused(404, 0, 'no such route');
  }

  #r2(method: string, [, name = '', what]: string[], { json }: Asked): unknown {
    if (method === 'POST') return this.buckets.set(String(json.name), []) && { name: json.name };
    const rules = this.buckets.get(name);
    if (!rules) throw new Refused(404, 10006, 'The specified bucket does not exist.');
    if (what === 'lifecycle' && method === 'PUT')
      this.buckets.set(name, z.array(z.object({ id: z.string() }).loose()).parse(json.rules));
    return what === 'lifecycle' ? { rules: this.buckets.get(name) } : { name };
  }

  #d1(method: string, [, uuid, what]: string[], { json, query }: Asked): unknown {
    if (method === 'POST' && what === 'query') return this.#sql(uuid ?? '', String(json.sql));
    if (method === 'POST') {
      const made = { uuid: `uuid-of-${json.name}`, tables: [] };
      this.databases.set(String(json.name), made);
      return { name: json.name, uuid: made.uuid };
    }
    const all = [...this.databases].map(([name, one]) => ({ name, uuid: one.uuid, version: 'production' }));
    if (uuid === undefined) return all.filter(({ name }) => name.includes(query.get('name') ?? ''));
    const found = all.find((one) => one.uuid === uuid || one.name === uuid);
    if (!found) throw new Refused(404, 7404, 'The database does not exist.');
    return found;
  }

  /** Remembers which migrations were written down. */
  #sql(uuid: string, sql: string): unknown {
    const database = [...this.databases.values()].find((one) => one.uuid === uuid);
    if (!database) throw new Refused(404, 7404, 'The database does not exist.');
    const applied = /INSERT INTO "?d1_migrations"?[^;]*'([^']+\.sql)'/i.exec(sql)?.[1];
    if (applied) {
      database.tables.push(applied);
      this.changes.push(`migration ${applied}`);
    }
    const isList = /SELECT \*[\s\S]*d1_migrations/i.test(sql);
    const results = isList ? database.tables.map((name, id) => ({ id: id + 1, name, applied_at: '2026-01-01' })) : [];
    return [{ success: true, results, meta: { duration: 0 } }];
  }

  #queue(method: string, [id, what]: string[], { json, query }: Asked): unknown {
    const shown = ([queue_name, { id: queue_id, consumers }]: [string, { id: string; consumers: Consumer[] }]) => ({
      ...{ queue_id, queue_name, consumers, producers: [], created_on: '', modified_on: '' },
      ...{ consumers_total_count: consumers.length, producers_total_count: 0 },
    });
    if (method === 'GET' && id === undefined) {
      return [...this.queues].map(shown).filter(({ queue_name }) => queue_name === (query.get('name') ?? queue_name));
    }
    if (method === 'POST' && id === undefined) {
      this.addQueue(String(json.queue_name));
      return { queue_name: json.queue_name, queue_id: `id-of-${json.queue_name}` };
    }
    const found = [...this.queues].find(([, one]) => one.id === id);
    if (!found || what !== 'consumers') throw new Refused(404, 11000, 'no such queue');
    if (method === 'POST') {
      found[1].consumers.push({
        type: String(json.type),
        consumer_id: 'a-consumer',
        script: json.script_name,
        ...json,
      });
    }
    return method !== 'GET' ? { queue_name: found[0], ...json } : found[1].consumers;
  }

  #worker(method: string, name: string, { raw }: Asked): unknown {
    const [, script = '', what = ''] = /^(?:scripts|services)\/([\w-]+)(?:\/(.*))?$/.exec(name) ?? [];
    if (script === '') throw new Refused(404, 0, 'no such route');
    const isUpload = method === 'PUT' && what === '' && name.startsWith('scripts/');
    const isVersion = method === 'POST' && what === 'versions';
    if (method === 'POST' && what === 'assets-upload-session') return { jwt: 'all-assets-are-there', buckets: [] };
    const worker = this.workers.get(script);
    if (isUpload || isVersion) {
      this.#upload(script, raw);
      return {
        id: 'version-1',
        deployment_id: 'version-1',
        startup_time_ms: 1,
        metadata: {},
        resources: { script: {} },
      };
    }
    if (!worker) throw new Refused(404, 10007, 'This Worker does not exist on your account.');
    switch (`${method} ${what}`) {
      case 'GET ':
        return {
          id: script,
          default_environment: { environment: 'production', script: { last_deployed_from: 'wrangler' } },
        };
      case 'GET settings':
        return { bindings: worker.bindings };
      case 'GET secrets':
        return [...worker.secrets.keys()].map((one) => ({ name: one, type: 'secret_text' }));
      case 'PUT schedules':
        this.schedules.push(JSON.parse(raw));
        return {};
      case 'PATCH script-settings':
        return {};
      case 'GET deployments':
        return { deployments: [] };
      case 'GET subdomain':
      case 'POST subdomain':
        return { enabled: false, previews_enabled: false };
      default:
        throw new Refused(404, 0, 'no such route of Workers');
    }
  }

  /** A form: the metadata says the bindings; secrets are among them. */
  #upload(script: string, form: string): void {
    const Metadata = z.object({
      bindings: z.array(z.object({ name: z.string(), type: z.string(), text: z.string().optional() }).loose()),
    });
    const text = /name="metadata"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]*)\r\n/.exec(form)?.[1] ?? '';
    const { bindings } = Metadata.parse(JSON.parse(text));
    const secrets = this.workers.get(script)?.secrets ?? new Map<string, string>();
    for (const { name, type, text: value } of bindings) if (type === 'secret_text') secrets.set(name, value ?? '');
    this.workers.set(script, { bindings, secrets });
  }
}

/** Lists come in pages, of 20 unless more are asked for, 50 at most. */
function pageOf(whole: unknown, query: URLSearchParams): { result: unknown; result_info?: object } {
  if (!Array.isArray(whole)) return { result: whole };
  const [page, per_page] = [Number(query.get('page') ?? 1), Math.min(50, Number(query.get('per_page') ?? 20))];
  const result = whole.slice((page - 1) * per_page, page * per_page);
  const total_pages = Math.ceil(whole.length / per_page);
  return { result, result_info: { page, per_page, count: result.length, total_count: whole.length, total_pages } };
}
