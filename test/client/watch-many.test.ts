/** Several jobs over one connection: who is told what, what a lost connection and a changed list resume, and the end. */
import { expect, test } from 'vitest';
import type { StreamEvent, Unavailable, WatchMany } from '../../client/index.ts';
import { begin, held, problem, type Step, stream } from './faulty.ts';
import { failure, faulty, impatient, TRANSPORTS } from './watching.ts';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => `00000000-0000-4000-8000-00000000000${letter}`) as [
  string,
  string,
  string,
];

/** An event of one of several jobs, as the server writes it. */
const told = (id: string, job_id: string, event = 'progress'): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify({ job_id })}\n\n`;

function heardBy(watch: WatchMany): string[] {
  const heard: string[] = [];
  const note = (data: { job_id: string }, { event, id }: StreamEvent) =>
    heard.push(`${data.job_id.at(-1)} ${event} ${id}`);
  watch.on('status', note);
  watch.on('progress', note);
  watch.on('complete', note);
  watch.on('unavailable', ({ job_id, code }: Unavailable) => heard.push(`${job_id.at(-1)} ${code}`));
  return heard;
}

const both = stream(
  told('1.', A, 'status'),
  told('1.1', B, 'status'),
  told('2.1', A),
  told('3.1', A, 'complete'),
  told('3.2', B, 'complete'),
);

test.each(TRANSPORTS)(
  'over %s each event comes with its job and its own number, to the end of all runs',
  async (_, options) => {
    const server = await faulty(both);
    const { client, waits } = impatient({ url: server.url, ...options });
    const watch = client.watchMany([A, B.toUpperCase()]);
    const heard = heardBy(watch);
    await watch.done;
    expect(heard).toEqual(['a status 1', 'b status 1', 'a progress 2', 'a complete 3', 'b complete 2']);
    expect([watch.state, waits, server.requests.map(({ url }) => url?.split('&')[0])]).toEqual([
      'closed',
      [],
      [`/streams?jobs=${A},${B}`],
    ]);
  },
);

test.each(TRANSPORTS)(
  'over %s a lost connection resumes each job where it was, and what was told is not told again',
  async (_, options) => {
    const server = await faulty(
      stream(told('4.0', A, 'status')),
      stream(told('4.2', B, 'status'), told('5.2', A)),
      stream(told('5.2', A), told('6.2', A, 'complete'), told('6.3', B, 'complete')),
    );
    const watch = impatient({ url: server.url, ...options }).client.watchMany([A, B]);
    const heard = heardBy(watch);
    await watch.done;
    expect(server.resumedFrom).toEqual([null, '4.', '5.2']);
    expect(heard).toEqual(['a status 4', 'b status 2', 'a progress 5', 'a complete 6', 'b complete 3']);
  },
);

test('a changed list goes on with the jobs that stay and begins those that come; a repeated job counts once', async () => {
  const first = held();
  const server = await faulty(
    first.step,
    stream(told('2.7.0', C, 'status'), told('2.8.0', C, 'complete'), told('3.8.0', B, 'complete')),
  );
  const watch = impatient({ url: server.url }).client.watchMany([A, B]);
  const heard = heardBy(watch);
  const isTold = new Promise<void>((resolve) => watch.on('progress', () => resolve()));
  (await first.opened).write(told('1.1', A, 'status') + told('1.2', B));
  await isTold;
  expect([watch.isLive(A.toUpperCase()), watch.isLive(C)]).toEqual([true, false]);
  watch.follow([B, C, B]);
  expect([watch.isLive(A), watch.isLive(C)]).toEqual([false, true]);
  await watch.done;
  expect(server.resumedFrom).toEqual([null, '2.']);
  expect(heard).toEqual(['a status 1', 'b progress 2', 'c status 7', 'c complete 8', 'b complete 3']);
});

test('a job that the server does not carry is told, and ends for this watch', async () => {
  const missing = `id: 0.0\nevent: unavailable\ndata: ${JSON.stringify({ job_id: B, code: 'job_not_found', message: 'No.' })}\n\n`;
  const server = await faulty(stream(missing, told('1.0', A, 'status'), told('2.0', A, 'complete')));
  const watch = impatient({ url: server.url }).client.watchMany([A, B]);
  const heard = heardBy(watch);
  await watch.done;
  expect(heard).toEqual(['b job_not_found', 'a status 1', 'a complete 2']);
});

test('a refusal and a server that stays away end the watch; another list opens it again', async () => {
  const ends: Step = (response) => begin(response).end(told('1', A, 'complete'));
  const server = await faulty(problem(401, 'unauthorized'), problem(503, 'internal'), ends);
  const watch = impatient({ url: server.url, maxAttempts: 0 }).client.watchMany([A]);
  expect(await failure(watch.done)).toMatchObject({ code: 'refused', status: 401 });
  watch.follow([A]);
  expect(await failure(watch.done)).toMatchObject({ code: 'gave_up' });
  watch.follow([A]);
  await watch.done;
  expect(watch.state).toBe('closed');
});

test('close(), an empty list and the signal end it, and the connection with it', async () => {
  for (const end of [(watch: WatchMany) => watch.close(), (watch: WatchMany) => watch.follow([])]) {
    const { step, opened } = held();
    const watch = impatient({ url: (await faulty(step)).url }).client.watchMany([A]);
    const gone = new Promise((resolve) => void opened.then((response) => response.once('close', resolve)));
    await opened;
    end(watch);
    expect(await failure(watch.done)).toMatchObject({ code: 'closed' });
    await gone;
  }
  const { step } = held();
  const abort = new AbortController();
  const watch = impatient({ url: (await faulty(step)).url }).client.watchMany([A], { signal: abort.signal });
  abort.abort('enough');
  expect(await failure(watch.done)).toMatchObject({ code: 'closed', cause: 'enough' });
});

test('what makes no sense is refused where it is given', async () => {
  const { client } = impatient({ url: 'http://127.0.0.1:9' });
  const many = Array.from({ length: 51 }, () => crypto.randomUUID());
  expect(() => client.watchMany(many)).toThrow(/51 jobs; one connection carries 50/);
  expect(() => client.watchMany([A], { lastEventId: 1 } as object)).toThrow(/no option lastEventId/);
  const watch = client.watchMany([]);
  expect(watch.state).toBe('closed');
  expect(() => watch.on('progres' as 'progress', () => undefined)).toThrow(/no event progres/);
});
