/** nchan in an nginx that is installed here, with one process that serves, as the others have. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findNchan } from './find-nchan.ts';
import { serve } from './lifetime.ts';

/** Long enough a buffer that nobody who reads misses a message. */
const config = (module: string, port: number, folder: string): string => `
load_module ${module};
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
error_log stderr notice;
pid ${folder}/pid;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_body_buffer_size 64k;
  nchan_shared_memory_size 256M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_requests 1000000;
    location ~ ^/publish/(\\w+)$ {
      nchan_publisher;
      nchan_channel_id $1;
      nchan_message_buffer_length 2000;
    }
    location ~ ^/(\\w+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }
  }
}
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const found = findNchan();
if (!found) throw new Error('No nginx with nchan is installed here');
const folder = await mkdtemp(join(tmpdir(), 'reelwire-nchan-'));
const port = await freePort();
const file = join(folder, 'nginx.conf');
await writeFile(file, config(found.module, port, folder));
const child = spawn(found.nginx, ['-p', folder, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
const exited = once(child, 'exit');
const lines: string[] = [];
for await (const line of createInterface({ input: child.stderr })) {
  lines.push(line);
  if (line.includes('start worker process ')) break;
}
if (child.exitCode !== null) throw new Error(`nginx did not start:\n${lines.join('\n')}`);
child.stderr.resume();
serve(port, async () => {
  child.kill('SIGTERM');
  await exited;
  await rm(folder, { recursive: true, force: true });
});
