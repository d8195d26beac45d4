/**
 * An nginx in front of the edge, of whose settings only addresses and temporary folders are ours. It asks in HTTP/1.0,
 * which knows no chunks; workerd answers in chunks all the same, and those nginx hands on as they come, buffering or
 * not. A deployed edge answers as it should, and so does the relay between the two here: now nginx would hold back what
 * comes until a buffer is full, unless the answer tells it not to.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Leashed } from './leashed.ts';

export class Nginx {
  readonly url: string;
  readonly #program: Leashed;
  readonly #relay: Server;
  readonly #folder: string;

  private constructor(url: string, program: Leashed, relay: Server, folder: string) {
    this.url = url;
    this.#program = program;
    this.#relay = relay;
    this.#folder = folder;
  }

  /** Starts the program at `path`; resolves when it answers. */
  static async start(path: string, edge: string): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'reelwire-nginx-'));
    const relay = relayTo(edge);
    const upstream = await portOf(relay);
    const reserved = createServer();
    const port = await portOf(reserved);
    await close(reserved);
    await writeFile(join(folder, 'nginx.conf'), config(port, upstream));
    const program = new Leashed(path, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr']);
    program.process.stderr?.pipe(process.stderr, { end: false });
    const nginx = new Nginx(`http://127.0.0.1:${port}`, program, relay, folder);
    const isUp = () => fetch(`${nginx.url}/health`).then(({ ok }) => ok);
    await expect.poll(isUp, { timeout: 10_000 }).toBe(true);
    return nginx;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    await close(this.#relay);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function config(port: number, upstream: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  return `
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${upstream}; }
  }
}
`;
}

/** Hands on what it gets as it comes, in chunks only to those who understand them: node:http knows who does. */
function relayTo(edge: string): Server {
  return createServer((asked, answer) => {
    request(new URL(asked.url ?? '/', edge), { method: asked.method, headers: asked.headers }, (got) => {
      const { 'transfer-encoding': _, ...headers } = got.headers;
      answer.writeHead(got.statusCode ?? 502, headers);
      got.pipe(answer);
    }).end();
  });
}

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
