/**
 * A page that uploads the file which was chosen in it, with the client that a test wants, each as its own guide shows,
 * but with less patience. It says when so many bytes are on their way, so that a test can reload it just then.
 */
import Uppy from '@uppy/core';
import Tus from '@uppy/tus';
import { Upload } from 'tus-js-client';
import { Reelwire } from '../../../client/index.ts';

export const CLIENTS = ['tus-js-client', 'Uppy', 'SDK'] as const;
export type Client = (typeof CLIENTS)[number];

/** Resolves when the file is there, or as soon as more than `leaveAt` bytes are on their way. */
export type UploadFile = (client: Client, edge: string, chunkBytes: number, leaveAt: number) => Promise<void>;

declare global {
  interface Window {
    upload: UploadFile;
  }
}

const RETRY_MS = 10;
const RETRIES = 20;
const retryDelays = Array.from({ length: RETRIES }, () => RETRY_MS);

interface Work {
  file: File;
  edge: string;
  chunkSize: number;
  onProgress(sent: number): void;
}

const WAYS: Record<Client, (work: Work) => Promise<void>> = {
  async 'tus-js-client'({ file, edge, chunkSize, onProgress }) {
    const ended = Promise.withResolvers<void>();
    const upload = new Upload(file, {
      ...{ endpoint: `${edge}/uploads`, chunkSize, retryDelays, onProgress },
      metadata: { filename: file.name, filetype: file.type },
      onSuccess: () => ended.resolve(),
      onError: ended.reject,
    });
    const [previous] = await upload.findPreviousUploads();
    if (previous) upload.resumeFromPreviousUpload(previous);
    upload.start();
    await ended.promise;
  },

  async Uppy({ file, edge, chunkSize, onProgress }) {
    const uppy = new Uppy().use(Tus, { endpoint: `${edge}/uploads`, chunkSize, retryDelays });
    uppy.on('upload-progress', (_, { bytesUploaded }) => onProgress(bytesUploaded || 0));
    uppy.addFile({ name: file.name, type: file.type, data: file });
    const { failed = [] } = (await uppy.upload()) ?? {};
    if (failed.length > 0) throw new Error(failed.map(({ error }) => error).join());
  },

  async SDK({ file, edge, chunkSize, onProgress }) {
    const delay = () => new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS));
    const client = new Reelwire({ url: edge, maxAttempts: RETRIES, delay });
    await client.upload(file, { chunkBytes: chunkSize, onProgress: ({ sent }) => onProgress(sent) });
  },
};

window.upload = (client, edge, chunkSize, leaveAt) => {
  const [file] = document.querySelector('input')?.files ?? [];
  if (!file) throw new Error('No file was chosen');
  return new Promise((resolve, reject) => {
    const onProgress = (sent: number) => sent >= leaveAt && resolve();
    WAYS[client]({ file, edge, chunkSize, onProgress }).then(resolve, reject);
  });
};
