/**
 * The renditions of a job as files on this machine, each one playable mp4: the init and the segments one after the
 * other. What this task makes grows with every commit and is there when its lane is through; what an earlier take
 * made is fetched from the edge when somebody asks for it, once.
 */
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName, takePath } from '../../src/contract/ids.ts';
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { segmentDuration } from '../media/mp4.ts';

type WholeTake = Lease['grant']['whole'][number];

export class Renditions {
  readonly #lease: Lease;
  readonly #plan: Plan;
  readonly #folder: string;
  readonly #files = new Map<string, Promise<string>>();

  constructor(lease: Lease, plan: Plan, folder: string) {
    this.#lease = lease;
    this.#plan = plan;
    this.#folder = folder;
  }

  /** What is to be made: the plan without the renditions that are whole at the edge. */
  get missing(): Pick<Plan, 'video' | 'audio'> {
    const { video, audio } = this.#plan;
    return {
      video: video.filter(({ name }) => !this.#take(name)),
      audio: audio && !this.#take(audio.name) ? audio : null,
    };
  }

  /** The file that a rendition grows in. */
  path(name: string): string {
    return join(this.#folder, `${name}.mp4`);
  }

  /** Moves a segment's bytes to the end of its rendition. */
  async append(name: string, segment: string | Uint8Array): Promise<void> {
    await appendFile(this.path(name), typeof segment === 'string' ? await readFile(segment) : segment);
    if (typeof segment === 'string') await rm(segment);
  }

  /** The rendition from its first to its last frame; it must be made, or whole at the edge. */
  file(name: string): Promise<string> {
    const take = this.#take(name);
    if (!take) return Promise.resolve(this.path(name));
    const known = this.#files.get(name) ?? this.#fetch(take);
    this.#files.set(name, known);
    return known;
  }

  /** How long the video is when nothing of it was made here: all segments but the last fill the grid. */
  async storedSeconds(): Promise<number> {
    const take = this.#plan.video.map(({ name }) => this.#take(name)).find((found) => found !== undefined);
    if (!take) throw new Error('no rendition is whole');
    const last = await this.#output(take, take.segments);
    return (take.segments - 1) * this.#plan.segment_seconds + segmentDuration(Buffer.from(last));
  }

  async #fetch(take: WholeTake): Promise<string> {
    const path = this.path(take.rendition);
    await writeFile(path, '');
    for (let n = 0; n <= take.segments; n += 1) await appendFile(path, await this.#output(take, n));
    return path;
  }

  #output({ rendition, take }: WholeTake, n: number): Promise<Uint8Array> {
    const { signal } = this.#lease;
    const path = takePath(rendition, take, segmentName(n));
    return this.#lease.call((edge, held) => edge.output(held, path, signal), signal);
  }

  #take(name: string): WholeTake | undefined {
    return this.#lease.grant.whole.find(({ rendition }) => rendition === name);
  }
}
