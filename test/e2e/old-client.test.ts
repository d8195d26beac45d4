/**
 * Clients of older services. The first knows `status`, `progress` and `done`, takes any `onerror` for a failure, and
 * sends the form fields `video`, then `key`. It has to end in its success callback.
 */
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Clips, QUICK, testPicture, testTone } from '../transcoder/clips.ts';
import { System } from './system.ts';

let system: System;
let clips: Clips;
beforeAll(async () => {
  [system, clips] = await Promise.all([System.start(), Clips.open()]);
  await system.transcoder();
});
afterAll(() => Promise.all([system.stop(), clips.close()]));

interface Callbacks {
  onProgress(progress: { stage: string; progress: number; message: string }): void;
  onComplete(): void;
  onError(error: unknown): void;
}

async function upload(file: File): Promise<string> {
  const form = new FormData();
  form.append('video', file);
  form.append('key', file.name);
  const answer = await fetch(`${system.url}/process`, { method: 'POST', body: form });
  const { job_id } = (await answer.json()) as { job_id: string };
  return job_id;
}

function track(job: string, { onProgress, onComplete, onError }: Callbacks): void {
  const source = new EventSource(`${system.url}/jobs/${job}/stream`);
  source.addEventListener('status', (event) => JSON.parse(event.data));
  source.addEventListener('progress', (event) => onProgress(JSON.parse(event.data)));
  source.addEventListener('done', () => {
    onComplete();
    source.close();
  });
  source.onerror = (error) => {
    onError(error);
    source.close();
  };
}

test('a page that waits for done and fears onerror ends in success, with every stage on the way', async () => {
  const clip = await clips.make('clip.mp4', ...testPicture('320x240', '25', 5), ...testTone(5), ...QUICK, '-shortest');
  const job = await upload(new File([new Uint8Array(await clips.read(clip))], 'clip.mp4'));
  const seen: { stage: string; progress: number; message: string }[] = [];
  const end = await new Promise((resolve) => {
    track(job, {
      onProgress: (progress) => seen.push(progress),
      onComplete: () => resolve('success'),
      onError: resolve,
    });
  });
  expect(end).toBe('success');
  expect(new Set(seen.map(({ stage }) => stage))).toEqual(
    new Set(['transcoding', 'validation', 'packaging', 'storage', 'completed']),
  );
  expect(seen.at(-1)).toMatchObject({ progress: 100 });
  expect(seen.every(({ message }) => message.length > 0)).toBe(true);
}, 60_000);

test('the same page learns of a failure through onerror', async () => {
  const job = await upload(new File(['no video at all'], 'letter.mp4'));
  const end = await new Promise((resolve) => {
    track(job, {
      onProgress: () => undefined,
      onComplete: () => resolve('success'),
      onError: () => resolve('failure'),
    });
  });
  expect(end).toBe('failure');
}, 30_000);
