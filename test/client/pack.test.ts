/** The package, packed and installed: it uploads and follows a job in plain Node and in a Vite app, and its types hold. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChromium } from '../browser/chromium.ts';
import type { Heard } from '../browser/page/listen.ts';
import { DrivenJob } from '../e2e/driven-job.ts';
import { complaints } from '../e2e/exactly-once.ts';
import { System } from '../e2e/system.ts';
import { examples, Project } from './package.ts';

let folder: string;
let system: System;
let node: Project;
let app: Project;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelwire-pack-'));
  const [tarball, started] = await Promise.all([Project.pack(folder), System.start()]);
  system = started;
  [node, app] = await Promise.all([Project.make(tarball), Project.make(tarball)]);
  await app.withReact();
});
afterAll(async () => {
  await Promise.all([system?.stop(), node?.remove(), app?.remove()]);
  await rm(folder, { recursive: true, force: true });
});

const FOLLOW = `import { Reelwire } from 'reelwire-client';
const [, , url, id] = process.argv;
const heard = [];
for await (const event of new Reelwire({ url }).watch(id, { lastEventId: 0 })) heard.push(event);
console.log(JSON.stringify(heard));
`;

test('in an empty Node project it follows a job to its end', async () => {
  const job = await DrivenJob.submit(system.url);
  await node.write('follow.js', FOLLOW);
  const followed = node.node('follow.js', system.url, job.id);
  await job.begin();
  await job.complete();
  const heard: Heard[] = JSON.parse(await followed);
  expect(heard.at(-1)?.event).toBe('complete');
  expect(complaints(await job.log(), heard)).toEqual([]);
});

const UPLOAD = `import { fileUploadStore, Reelwire } from 'reelwire-client';
const [, , url, store] = process.argv;
const file = new Blob(['some bytes']);
console.log(JSON.stringify(await new Reelwire({ url }).upload(file, { resume: fileUploadStore(store), key: 'packed' })));
`;

const LOADED = `import 'reelwire-client';
import { createRequire } from 'node:module';
const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes('tus-js-client'));
const before = isLoaded();
await import('tus-js-client');
console.log(JSON.stringify([before, isLoaded()]));
`;

test('in an empty Node project it uploads, and only then loads what it needs for that', async () => {
  await node.write('upload.js', UPLOAD);
  const { job_id } = JSON.parse(await node.node('upload.js', system.url, join(node.folder, 'uploads.json')));
  expect(await system.job(job_id)).toMatchObject({ key: 'packed', status: 'pending', progress: 10 });
  await node.write('loaded.js', LOADED);
  expect(JSON.parse(await node.node('loaded.js'))).toEqual([false, true]);
});

/** What a program relies on; and what it may not do, so that nothing is `any`. */
const TYPES = `import { ApiError, type EndEvent, type Job, Reelwire, type StreamEvent, UploadError, WatchError } from 'reelwire-client';

export async function use(client: Reelwire): Promise<number> {
  const watch = client.watch('id', { lastEventId: '7' });
  const off: () => void = watch.on('progress', (data, { id }) => {
    const percent: number = data.progress + id;
    if (data.details && 'renditions' in data.details) data.details.renditions[0]?.fps?.toFixed(percent);
    // @ts-expect-error a progress has no result
    data.details.result;
  });
  watch.on('playable', ({ details }) => details.playback.hls?.length);
  watch.on('error', ({ details }) => details.code === 'not_media' && details.retryable);
  // @ts-expect-error no such code
  watch.on('error', ({ details }) => details.code === 'not_meida');
  // @ts-expect-error no such event
  watch.on('progres', () => undefined);
  const end: EndEvent = await watch.done;
  if (end.event === 'complete') end.data.details.result.artifacts.map(({ size_bytes }) => size_bytes.toFixed());
  for await (const event of watch) if (event.event === 'status') event.data.renditions.map(({ vmaf }) => vmaf?.mean);
  const job: Job = await client.jobs.get('id');
  // @ts-expect-error no such status
  if (job.status === 'done') off();
  const heard: StreamEvent[] = [];
  const { events } = await client.jobs.events('id');
  for (const { type, data } of events) if (type === 'rendition') data.details.vmaf?.samples;
  try {
    await client.jobs.submit(new Blob([]), { options: { quality: 'high' }, metadata: { a: 'b' } });
    const { stream_url, webhook } = await client.upload(new Blob([]), {
      onProgress: ({ sent, total }) => (sent / total).toFixed(),
      resume: null,
    });
    stream_url.concat(webhook?.id ?? '');
    // @ts-expect-error not bytes by themselves
    await client.upload(new Uint8Array(1));
  } catch (error) {
    if (error instanceof UploadError && error.code === 'gave_up') return 0;
    if (error instanceof ApiError) return error.status;
    if (error instanceof WatchError && error.code === 'refused') return error.status ?? 0;
  }
  return heard.length;
}
`;

test.each<[string, Record<string, unknown>]>([
  ['for Node, with its types', { module: 'nodenext', lib: ['es2023'], types: ['node'] }],
  ['for a browser and a bundler', { module: 'esnext', moduleResolution: 'bundler', types: [] }],
  [
    'as strictly as it gets',
    { module: 'nodenext', types: [], exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  ],
])('its types hold %s, without zod and with the libraries checked', async (_, options) => {
  await node.write('types.ts', TYPES);
  const typeRoots = [join(import.meta.dirname, '../../node_modules/@types')];
  await node.write('wrong.ts', TYPES.replace('percent: number', 'percent: string'));
  expect(await node.errors(['types.ts', 'wrong.ts'], { ...options, typeRoots })).toEqual([
    expect.stringMatching(/wrong\.ts.*'number' is not assignable/),
    expect.stringMatching(/wrong\.ts.*'string' is not assignable/),
  ]);
});

test('every example of its page compiles', async () => {
  const all = await examples();
  expect(all.length).toBeGreaterThanOrEqual(7);
  for (const { name, text } of all) await app.write(name, text);
  const [first] = all;
  await app.write('wrong.ts', String(first?.text).replace("on('progress'", "on('progres'"));
  const options = { module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx', types: [] };
  const files = [...all.map(({ name }) => name), 'wrong.ts'];
  const errors = await app.errors(files, { ...options, lib: ['es2023', 'dom', 'dom.iterable'] });
  expect(errors.filter((line) => !line.includes('wrong.ts'))).toEqual([]);
  expect(errors.join()).toContain('progres');
});

const PAGE = '<!doctype html><title>A job</title><div id="root"></div><script type="module" src="/main.tsx"></script>';
const MAIN = `import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { JobStatus } from './example';
const root = document.querySelector('#root');
if (root) createRoot(root).render(<StrictMode><JobStatus id={location.hash.slice(1)} /></StrictMode>);
`;

test('in a Vite app the hook of the page follows a job to its end', async () => {
  const component = (await examples()).find(({ name }) => name.endsWith('.tsx'));
  await app.write('index.html', PAGE);
  await app.write('main.tsx', MAIN);
  await app.write('example.tsx', component?.text.replace('http://localhost:8787', system.url) ?? '');
  const settings = { root: app.folder, configFile: false, logLevel: 'error' } as const;
  await build(settings);
  const server = await preview({ ...settings, preview: { port: 0, host: '127.0.0.1' } });
  const browser = await openChromium();
  try {
    const [address] = server.resolvedUrls?.local ?? [];
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', ({ message }) => problems.push(message));
    const job = await DrivenJob.submit(system.url);
    await page.goto(`${address}#${job.id}`);
    const says = (text: string) => page.getByText(`clip: ${text}`).waitFor();
    await says('pending, 10 %');
    await job.begin();
    await says('processing, 10 %');
    await job.complete();
    await says('completed, 100 %');
    expect(problems).toEqual([]);
    await page.goto(`${address}#${crypto.randomUUID()}`);
    await page.reload();
    await page.getByRole('alert').getByText('job_not_found').waitFor();
  } finally {
    await browser.close();
    await server.close();
  }
});
