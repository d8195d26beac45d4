/**
 * Sends a file, read from disk as it goes. Where unfinished uploads are remembered, the next upload of the same file
 * goes on where this one stopped.
 */
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Reelwire, Uploaded, UploadStore } from '../client/index.ts';
import type { Display } from './display/display.ts';
import { sizeText } from './display/units.ts';
import type { VideoFile } from './videos.ts';

export interface UploadSettings {
  /** What the display calls it. */
  label: string;
  webhookUrl?: string | undefined;
  /** Default: nothing is remembered. */
  resume?: UploadStore;
  /** As soon as the job is there. */
  onCreated?(jobId: string): void;
}

export async function upload(
  client: Reelwire,
  { path, name, bytes }: VideoFile,
  { label, webhookUrl, resume, onCreated }: UploadSettings,
  display: Display,
  signal: AbortSignal,
): Promise<Uploaded> {
  display.note(`Uploading ${label} (${sizeText(bytes)}) ...`);
  const { mtimeMs } = await stat(path);
  const file = new File([await openAsBlob(path)], name, { lastModified: mtimeMs });
  return client.upload(file, {
    ...{ key: name, resume: resume ?? null, signal },
    ...(webhookUrl !== undefined && { webhookUrl }),
    ...(onCreated && { onCreated }),
    onProgress: (progress) => display.sent(label, progress),
  });
}
