/** Attempts that end in the middle, for real, and those that come after them. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { testBed } from './bed.ts';
import { QUICK, testTone } from './clips.ts';
import { counted } from './counted.ts';
import { callsOf, finished, GOP, LONG, picture, pictures, steady, stored } from './resuming.ts';

const CRASHES = LONG ? 20 : 2;
const bed = testBed();
let clip: Buffer;
beforeAll(async () => {
  clip = await bed.clips.read(await bed.clips.make('clip.mp4', ...picture(13), ...testTone(13), ...QUICK, '-g', '30'));
});

it('after an encoder was killed each rendition goes on at its first missing segment', async () => {
  const paced = await counted(bed.clips, 'paced', '-readrate 0.1 -readrate_initial_burst 11');
  await bed.start({ libvmaf: true }, paced.binaries);
  const job = bed.edge.addJob(clip);
  await bed.edge.until(() => job.taken.published('360p').length >= 2);
  const encoder = (await bed.transcoder.tools()).find(
    ({ cwd, exe }) => basename(cwd) === 'rest' && exe.endsWith('ffmpeg'),
  );
  process.kill(encoder?.pid ?? Number.NaN, 'SIGKILL');
  await bed.edge.until(() => job.finish);
  expect(job.finish).toMatchObject({ error: { code: 'encode_failed', retryable: true } });
  const { plan } = job;
  const before = new Map(['240p', '360p', 'audio'].map((name) => [name, job.taken.published(name).length]));
  const had = (name: string) => before.get(name) ?? 0;
  const isThere = (name: string) => job.whole.has(name) || (name !== 'audio' && had(name) === 4);
  const missing = (...names: string[]) => names.filter((name) => !isThere(name));
  const due = [
    { names: missing('240p', 'audio'), leftOut: missing('240p').map((name) => GOP * had(name)) },
    { names: missing('360p'), leftOut: missing('360p').map((name) => GOP * had(name)) },
  ].filter(({ names }) => names.length > 0);

  const ffmpeg = await counted(bed.clips, 'ffmpeg');
  await bed.start({ libvmaf: true }, ffmpeg.binaries);
  bed.edge.again(job);
  await finished(bed, job, 13);
  expect(job.plan).toBe(plan);
  expect(await callsOf(ffmpeg)).toEqual(due);
  for (const name of due.flatMap(({ names }) => names)) {
    const fresh = [1, 2, 3, 4].filter((n) => n > had(name));
    expect(stored(job, 2, name)).toEqual(fresh.length > 0 ? [0, ...fresh] : []);
  }
  for (const name of ['240p', '360p']) {
    expect(await pictures(bed.clips, job, name)).toEqual(steady(13));
    const durations = job.commits.filter(({ rendition, n }) => rendition === name && n > 0);
    expect(durations.map(({ duration }) => duration)).toEqual([4, 4, 4, 1]);
    expect(job.validated.get(name)?.mean).toBeGreaterThan(70);
  }
  expect([...job.artifacts.keys()].toSorted()).toEqual(['poster', 'storyboard']);
  const [first] = job.batches
    .filter(({ lease }) => lease === 2)
    .flatMap(({ entries }) => entries.filter((entry) => entry.type === 'progress' && entry.details.total === 2));
  const percents = first?.type === 'progress' ? first.details.renditions.map(({ percent }) => percent) : [];
  for (const percent of percents) expect(percent).toBeGreaterThanOrEqual(30);
});

it(`taken away ${CRASHES} times, a job goes on where readers are each time, as if nothing had happened`, async () => {
  const seconds = LONG ? 120 : 13;
  const make = [...picture(seconds), ...testTone(seconds), ...QUICK, '-g', '30'];
  const source = LONG ? await bed.clips.read(await bed.clips.make('two-minutes.mp4', ...make)) : clip;
  const paced = await counted(bed.clips, 'paced', `-readrate ${LONG ? 20 : 12}`);
  await bed.start({ libvmaf: false }, paced.binaries);
  const job = bed.edge.addJob(source);
  const had: number[] = [0];
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    const before = job.commits.length;
    await bed.edge.until(() => job.commits.length > before || job.finish);
    if (job.finish) break;
    job.lease += 1;
    had.push(job.taken.published('360p').length);
    bed.edge.again(job);
  }
  await bed.edge.until(() => job.finish);
  expect(job.finish).toMatchObject({ result: { duration_seconds: seconds } });
  expect(had.length).toBeGreaterThan(LONG ? 20 : 1);
  const leftOut = await paced.leftOut();
  const places = (await paced.encoded()).flatMap(([name], call) => (name === '360p' ? (leftOut[call]?.[0] ?? 0) : []));
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(had.map((segments) => segments * GOP)).toEqual(expect.arrayContaining(places));
  for (const name of ['240p', '360p']) expect(await pictures(bed.clips, job, name)).toEqual(steady(seconds));
}, 180_000);

it.each([
  ['fails', 1, [1, 2]],
  ['ends well', 0, [1, 2, 3]],
] as const)(
  'of an encoder that stops in mid-segment and %s, the last piece is only then published',
  async (_, code, segments) => {
    const stop = 'for a do shift; [ "$last" = -t ] && a=10; last=$a; set -- "$@" "$a"; done';
    const { ffmpeg } = bed.clips.binaries;
    const go = bed.clips.path(`go-${code}`);
    const encode = `${stop}\n'${ffmpeg}' "$@" || exit\nuntil [ -e '${go}' ]; do sleep 0.1; done\nexit ${code}`;
    const script = await bed.clips.script(
      `stops-${code}`,
      `case "$*" in *.pipe*) ;; *) exec '${ffmpeg}' "$@" ;; esac\n${encode}`,
    );
    await bed.start({ libvmaf: false }, { ...bed.clips.binaries, ffmpeg: script });
    const job = bed.edge.addJob(clip);
    const published = () => ['240p', '360p', 'audio'].map((name) => job.taken.published(name).map(({ n }) => n));
    await bed.edge.until(() => published().every(({ length }) => length === 2));
    await writeFile(go, '');
    await bed.edge.until(() => job.finish);
    expect(job.finish).toMatchObject(
      code === 0 ? { result: { duration_seconds: 10 } } : { error: { code: 'encode_failed' } },
    );
    expect(published()).toEqual([segments, segments, segments]);
  },
);
