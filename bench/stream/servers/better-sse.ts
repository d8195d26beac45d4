/** better-sse as its guide shows it: sessions registered with a channel that broadcasts, with ids as ours have. */
import { createChannel, createSession } from 'better-sse';
import { serveRooms } from './rooms.ts';

await serveRooms(() => {
  const channel = createChannel();
  let id = 0;
  return {
    join: async (request, response) => channel.register(await createSession(request, response)),
    broadcast: (data) => {
      id += 1;
      channel.broadcast(data, 'warning', { eventId: String(id) });
    },
  };
});
