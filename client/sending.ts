/**
 * One attempt to bring an upload to its end, with tus-js-client, which is loaded when it is first needed: asks how far
 * the upload is, and sends what is missing, piece by piece. It is over as soon as something fails; what that means is
 * for the caller to decide. A connection on which nothing moves any more is a lost one, whatever TCP says.
 */
import type { HttpRequest, HttpResponse, UploadOptions } from 'tus-js-client';
import { onNetwork } from './connectivity.ts';
import { ApiError } from './errors.ts';
import type { Requests } from './requests.ts';
import { Silence } from './silence.ts';
import { fetchStack } from './upload-stack.ts';

/** The last bytes of a slow connection may wait in buffers that nobody sees. */
export const SILENCE_MS = 60_000;

export const TUS = { 'Tus-Resumable': '1.0.0' };

export interface Sending {
  readonly requests: Requests;
  /** Where the upload is. */
  readonly url: string;
  readonly file: Blob;
  readonly chunkBytes: number;
  /** The server has this many bytes. */
  onOffset(offset: number): void;
  /** This many bytes have been handed to the network, or are there. */
  onSent(sent: number): void;
}

/** A token that has just run out is worth one more try. Rejects with an `ApiError` for what the server has answered. */
export async function send(sending: Sending, signal: AbortSignal): Promise<void> {
  try {
    await sendOnce(sending, signal);
  } catch (error) {
    const isStale = error instanceof ApiError && error.status === 401 && sending.requests.getToken !== null;
    if (!isStale || signal.aborted) throw error;
    await sendOnce(sending, signal);
  }
}

async function sendOnce(sending: Sending, signal: AbortSignal): Promise<void> {
  const { requests, url, file, chunkBytes, onOffset, onSent } = sending;
  const { DefaultHttpStack, DetailedError, Upload } = await import('tus-js-client');
  const link = new Silence(signal, SILENCE_MS);
  const forgetNetwork = onNetwork('offline', () => link.abort(new Error('The network is gone')));
  const options: UploadOptions = {
    uploadUrl: url,
    chunkSize: chunkBytes,
    retryDelays: null,
    storeFingerprintForResuming: false,
    fileReader: { openFile: async () => pieces(file) },
    httpStack: 'XMLHttpRequest' in globalThis ? new DefaultHttpStack({}) : fetchStack(requests.fetch),
    async onBeforeRequest(request) {
      const token = (await requests.getToken?.()) || null;
      link.signal.throwIfAborted();
      if (token !== null) request.setHeader('Authorization', `Bearer ${token}`);
      link.begin();
    },
    onAfterResponse(_, response) {
      const offset = response.getHeader('Upload-Offset');
      if (response.getStatus() < 300 && offset) onOffset(Number(offset));
    },
    onProgress(sent) {
      if (link.signal.aborted) return;
      link.begin();
      onSent(sent);
    },
  };
  try {
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(file, { ...options, onSuccess: () => resolve(), onError: reject });
      const stop = () => {
        void upload.abort();
        reject(link.signal.reason);
      };
      link.signal.addEventListener('abort', stop);
      if (link.signal.aborted) stop();
      else upload.start();
    });
  } catch (error) {
    if (!(error instanceof DetailedError)) throw error;
    const { originalRequest: request, originalResponse: response, causingError } = error;
    if (response) throw await refusal(sending, request, response, link);
    throw causingError instanceof Error ? causingError : new Error('The connection is gone', { cause: causingError });
  } finally {
    forgetNetwork();
    link.end();
  }
}

function pieces(file: Blob) {
  return {
    size: file.size,
    slice: async (start: number, end: number) => ({ value: file.slice(start, end), done: end >= file.size }),
    close: () => undefined,
  };
}

/** The answer to HEAD has no words: no bytes, sent to where none are wanted, are refused for the same reason. */
async function refusal(
  { requests, url }: Sending,
  request: HttpRequest,
  answer: HttpResponse,
  link: Silence,
): Promise<ApiError> {
  const status = answer.getStatus();
  const headers = new Headers();
  for (const name of ['Retry-After', 'X-Request-Id']) headers.set(name, answer.getHeader(name) ?? '');
  const error = await ApiError.from(new Response(answer.getBody() || null, { status, headers }));
  if (request.getMethod() !== 'HEAD' || status < 400 || status >= 500 || status === 401) return error;
  const asked = { ...TUS, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' };
  const init = { method: 'PATCH', headers: asked, signal: link.signal };
  link.begin();
  const said = await requests.json(url, init).catch((reason: unknown) => reason);
  return said instanceof ApiError && said.status === status ? said : error;
}
