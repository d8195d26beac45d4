/** The hub one would write by hand: a set of responses, and the same text written to each. */
import type { ServerResponse } from 'node:http';
import { serveRooms } from './rooms.ts';

await serveRooms(() => {
  const watchers = new Set<ServerResponse>();
  let id = 0;
  return {
    join: (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
      response.flushHeaders();
      watchers.add(response);
      response.once('close', () => watchers.delete(response));
    },
    broadcast: (data) => {
      id += 1;
      const text = `id: ${id}\nevent: warning\ndata: ${JSON.stringify(data)}\n\n`;
      for (const response of watchers) response.write(text);
    },
  };
});
