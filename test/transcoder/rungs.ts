/** The renditions of a clip as finished files, made with the transcoder's own arguments but without an edge. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from '../../src/contract/ids.ts';
import type { Plan } from '../../src/contract/job.ts';
import { run } from '../../transcoder-node/media/child.ts';
import { encodeArgs, QUIET } from '../../transcoder-node/media/ffmpeg-args.ts';
import { unifiedInit } from '../../transcoder-node/media/mp4.ts';
import { packagerArgs } from '../../transcoder-node/media/packager-args.ts';
import { makePlan } from '../../transcoder-node/media/plan.ts';
import { probe, type Source } from '../../transcoder-node/media/probe.ts';
import { type Reference, referencesFor } from '../../transcoder-node/media/reference.ts';
import { FROM_THE_BEGINNING } from '../../transcoder-node/media/starting.ts';
import type { Clips } from './clips.ts';

export interface Rungs {
  readonly source: Source;
  readonly plan: Plan;
  readonly folder: string;
  readonly references: readonly Reference[];
  readonly file: (rendition: string) => string;
  /** The init segment, then the others in order. */
  readonly parts: (rendition: string) => Promise<Buffer[]>;
}

export async function makeRungs(
  clips: Clips,
  name: string,
  input: string,
  { start = FROM_THE_BEGINNING, compare = true } = {},
): Promise<Rungs> {
  const { binaries } = clips;
  const folder = clips.path(name);
  await mkdir(folder);
  const common = { cwd: folder, signal: new AbortController().signal };
  const source = await probe(input, { binaries, folder, signal: common.signal });
  const plan = makePlan(source);
  const raw = (rendition: string) => `${rendition}.raw.mp4`;
  const lines = ['progress', ...plan.video, 'packets'].map(() => () => undefined);
  const names = plan.video.map((video) => video.name);
  const references = compare ? referencesFor(plan, source.size, names, folder) : [];
  const args = [...QUIET, ...encodeArgs({ input, source, plan, start, references, pipeOf: raw })];
  for (const spec of [
    { file: binaries.ffmpeg, args, lines },
    { file: binaries.packager, args: packagerArgs(plan, raw) },
  ]) {
    const { ok, stderr } = await run({ ...common, ...spec });
    if (!ok) throw new Error(stderr);
  }
  const file = (rendition: string) => join(folder, `${rendition}.mp4`);
  const parts = async (rendition: string) => {
    const count = (await readdir(join(folder, rendition))).length;
    const all = Array.from({ length: count }, (_, n) => readFile(join(folder, rendition, segmentName(n))));
    const [init = Buffer.alloc(0), ...segments] = await Promise.all(all);
    return [unifiedInit(init, plan.duration), ...segments];
  };
  for (const rendition of [...names, ...(plan.audio ? ['audio'] : [])]) {
    await writeFile(file(rendition), Buffer.concat(await parts(rendition)));
  }
  return { source, plan, folder, references, file, parts };
}
