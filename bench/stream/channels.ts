/**
 * How each server is asked for a channel, watched, and told of events. Ours is told by the reports of a transcoder,
 * as `warning` entries; the rivals get the data that ours makes of them, so that all broadcast the same object.
 */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { Accepted } from '../../src/contract/api.ts';
import { LeaseGrant, type Report } from '../../src/contract/transcoder.ts';

export const Kind = z.enum(['reelwire', 'better-sse', 'hub', 'nchan']);
export type Kind = z.infer<typeof Kind>;

/** An event: its mark, and what fills it up. */
export interface Marked {
  message: string;
  pad: string;
}

export interface Channel {
  /** Where it is watched. */
  readonly path: string;
  post(events: Marked[]): Promise<void>;
}

/** Makes channels of a server. */
export class Publisher {
  /** The most events that the server takes in one POST. */
  readonly mostPerPost: number;
  readonly #kind: Kind;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  #opened = 0;

  constructor(kind: Kind, port: number) {
    this.#kind = kind;
    this.#port = port;
    this.mostPerPost = kind === 'nchan' ? 1 : 100;
  }

  async open(): Promise<Channel> {
    const name = `channel${this.#opened++}`;
    switch (this.#kind) {
      case 'reelwire':
        return this.#job();
      case 'better-sse':
      case 'hub':
        return {
          path: `/${name}`,
          post: async (events) => void (await this.#post(`/${name}`, JSON.stringify(events.map(entryData)))),
        };
      case 'nchan':
        return {
          path: `/${name}`,
          post: async ([event]) => {
            if (event) await this.#post(`/publish/${name}`, JSON.stringify(entryData(event)));
          },
        };
      default:
        return this.#kind satisfies never;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #job(): Promise<Channel> {
    const { job_id } = Accepted.parse(
      JSON.parse(await this.#post('/process?key=bench', 'no video', 'application/octet-stream')),
    );
    const at = `/internal/jobs/${job_id}`;
    const asked = { task: 'main', transcoder: 'bench', request_id: job_id };
    const { lease } = LeaseGrant.parse(JSON.parse(await this.#post(`${at}/lease`, JSON.stringify(asked))));
    let batch = 0;
    return {
      path: `/jobs/${job_id}/stream`,
      post: async (events) => {
        const entries = events.map(({ message, pad }) => ({ type, code, message, details: { pad } }) as const);
        batch += 1;
        await this.#post(`${at}/report`, JSON.stringify({ lease, batch, entries, commits: [] } satisfies Report));
      },
    };
  }

  async #post(path: string, body: string, contentType = 'application/json'): Promise<string> {
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const headers = { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body), Host: 'localhost' };
      const options = { host: '127.0.0.1', port: this.#port, path, method: 'POST', agent: this.#agent, headers };
      const sent = request(options, (response) => {
        text(response).then((got) => resolve({ status: response.statusCode ?? 0, body: got }), reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
    if (answer.status >= 300) throw new Error(`POST ${path} was answered ${answer.status}: ${answer.body}`);
    return answer.body;
  }
}

const type = 'warning';
const code = 'low_quality';

/** The data of our entry. */
function entryData({ message, pad }: Marked): object {
  const job_id = '00000000-0000-4000-8000-000000000000';
  const timestamp = new Date().toISOString();
  const where = { status: 'processing', stage: 'uploading', progress: 10 };
  return { job_id, ...where, message, timestamp, details: { pad, code } };
}
