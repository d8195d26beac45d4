/** @tus/server with its file store, as its guide shows. The folder for the files is the one argument. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { serve } from '../stream/servers/lifetime.ts';

const directory = process.argv[2] ?? '';
const tus = new Server({ path: '/uploads', datastore: new FileStore({ directory }) });
const server = createServer((request, response) => void tus.handle(request, response));
await once(server.listen(0, '127.0.0.1'), 'listening');
serve((server.address() as AddressInfo).port, async () => {
  server.closeAllConnections();
  server.close();
});
