/**
 * The web server of the browser tests: its pages, their scripts and the documentation's (TypeScript with the types
 * stripped) and the players' bundles as npm brought them. On loopback, in the test's own process, on an origin other than the edge's: what the
 * players read has to come through CORS.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { ROOT } from '../../tools/paths.mjs';

const FOLDER = join(import.meta.dirname, 'page');
const SNIPPETS = 'docs/snippets';
const BUNDLES: Record<string, string> = {
  '/hls.js': 'hls.js/dist/hls.min.mjs',
  '/shaka-player.js': 'shaka-player/dist/shaka-player.compiled.js',
};

export interface Pages {
  readonly url: string;
  close(): Promise<void>;
}

export async function servePages(): Promise<Pages> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(path: string, response: ServerResponse): Promise<void> {
  const bundle = BUNDLES[path];
  const page = path === '/' ? '/index.html' : path;
  if (/^\/[a-z]+\.html$/.test(page)) send(response, 'text/html', await readFile(join(FOLDER, page), 'utf8'));
  else if (bundle) send(response, 'text/javascript', await readFile(join(ROOT, 'node_modules', bundle), 'utf8'));
  else if (/^\/[a-z]+\.ts$/.test(path)) await sendScript(response, join(FOLDER, path));
  else if (path.startsWith(`/${SNIPPETS}/`) && /^[a-z-]+\.ts$/.test(basename(path))) {
    await sendScript(response, join(ROOT, SNIPPETS, basename(path)));
  } else response.writeHead(404).end();
}

async function sendScript(response: ServerResponse, path: string): Promise<void> {
  send(response, 'text/javascript', stripTypeScriptTypes(await readFile(path, 'utf8')));
}

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(text);
}
