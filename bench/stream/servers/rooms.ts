/** What the two rivals on node:http share: GET /NAME watches a room, POST /NAME broadcasts a JSON array of events. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { serve } from './lifetime.ts';

export interface Room {
  join(request: IncomingMessage, response: ServerResponse): unknown;
  broadcast(data: unknown): void;
}

const Events = z.array(z.unknown());

export async function serveRooms(makeRoom: () => Room): Promise<void> {
  const rooms = new Map<string, Room>();
  const server = createServer(async (request, response) => {
    const name = request.url ?? '';
    const room = rooms.get(name) ?? makeRoom();
    rooms.set(name, room);
    if (request.method !== 'POST') return room.join(request, response);
    for (const data of Events.parse(await json(request))) room.broadcast(data);
    response.end('{}');
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  serve(port, async () => {
    server.closeAllConnections();
    server.close();
  });
}
