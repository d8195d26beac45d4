/**
 * A small server for those who look after this process: `/metrics` for Prometheus, `/health` (it runs), `/ready` (it
 * takes work: the queues answer, and the edge knows it). Only who runs the machine is meant to reach it, so it listens
 * on loopback unless told otherwise, and shows nothing of any job.
 */
import { once } from 'node:events';
import { statfs } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError, type StatusAddress } from './config.ts';
import { toError } from './errors.ts';
import { diskFree, registry } from './metrics.ts';

export interface StatusServer {
  /** The port that was found when 0 was asked for. */
  readonly port: number;
  /** What is in the way of work; empty when nothing is. */
  obstacles: () => string[];
  close(): Promise<void>;
}

export async function serveStatus({ host, port }: StatusAddress, workFolder: string): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', status.obstacles, workFolder, response).catch((error: unknown) => {
      response.writeHead(500).end(toError(error).message);
    });
  });
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    throw new ConfigError(`--metrics-port: ${toError(error).message}. Choose another port.`);
  }
  const status: StatusServer = {
    port: (server.address() as AddressInfo).port,
    obstacles: () => ['this transcoder is starting'],
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return status;
}

async function answer(
  path: string,
  obstacles: () => string[],
  workFolder: string,
  response: ServerResponse,
): Promise<void> {
  switch (path) {
    case '/metrics': {
      const { bavail, bsize } = await statfs(workFolder);
      diskFree.set(bavail * bsize);
      const text = await registry.metrics();
      response.writeHead(200, { 'Content-Type': registry.contentType }).end(text);
      return;
    }
    case '/health':
      return send(response, 200, { status: 'healthy' });
    case '/ready': {
      const reasons = obstacles();
      return reasons.length === 0
        ? send(response, 200, { status: 'ready' })
        : send(response, 503, { status: 'not ready', reasons });
    }
    default:
      return send(response, 404, { status: 'not found', paths: ['/metrics', '/health', '/ready'] });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
