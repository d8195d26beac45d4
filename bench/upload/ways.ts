/**
 * The ways that a file can take: one body to `POST /process`, tus to our Worker, tus to @tus/server. All leave from this
 * process with its `fetch`, the pieces of both tus servers by the same code, the SDK's.
 */
import { Requests } from '../../client/requests.ts';
import { send, TUS } from '../../client/sending.ts';

export const WAYS = ['raw', 'tus', '@tus/server'] as const;
export type Way = (typeof WAYS)[number];

/** What the SDK sends in one request, if nobody says otherwise. */
const CHUNK_BYTES = 32 * 2 ** 20;

export const scriptOf = (way: Way): string =>
  way === '@tus/server' ? 'upload/tus-server.ts' : 'stream/servers/reelwire.ts';

/** Resolves when the server has said that it has all of it. */
export async function sendBy(way: Way, url: string, file: Blob): Promise<void> {
  if (way === 'raw') {
    const { status } = await fetch(`${url}/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'video/mp4' },
      body: file,
    });
    if (status !== 202) throw new Error(`POST /process was answered ${status}`);
    return;
  }
  const made = await fetch(`${url}/uploads`, {
    method: 'POST',
    headers: { ...TUS, 'Upload-Length': String(file.size) },
  });
  await made.arrayBuffer();
  const address = new URL(made.headers.get('Location') ?? '', url).href;
  let there = 0;
  const sending = {
    ...{ requests: new Requests(url, fetch, null), url: address, file, chunkBytes: CHUNK_BYTES },
    onOffset: (offset: number) => {
      there = offset;
    },
    onSent: () => undefined,
  };
  await send(sending, new AbortController().signal);
  if (there !== file.size) throw new Error(`Only ${there} bytes have arrived`);
}
