/**
 * What a job has besides its renditions: poster and storyboard from the lowest rung, begun as soon as that is whole,
 * at a low priority beside the encoders; and, when asked for, a progressive MP4 of the best rung, in the stage
 * `packaging`. Each is stored and then said; what an earlier attempt stored is not made again. `stop` must be called.
 */
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ARTIFACT_FILE, type ArtifactName } from '../../src/contract/ids.ts';
import type { Plan } from '../../src/contract/job.ts';
import type { Lease } from '../edge/lease.ts';
import { storeFile } from '../edge/store.ts';
import { ARTIFACT_MS, REST_NICE } from '../limits.ts';
import type { Binaries } from '../media/binaries.ts';
import { remuxMp4 } from '../media/remux.ts';
import { makePoster, makeStoryboard } from '../media/storyboard.ts';
import { Watchdog } from '../media/watchdog.ts';
import type { Renditions } from './renditions.ts';
import { StageProgress } from './stage-progress.ts';

export interface ArtifactsOf {
  readonly binaries: Binaries;
  readonly lease: Lease;
  readonly plan: Plan;
  readonly renditions: Renditions;
  /** The task's. */
  readonly folder: string;
}

export class Artifacts {
  readonly #of: ArtifactsOf;
  readonly #folder: string;
  readonly #apart = new AbortController();
  readonly #signal: AbortSignal;
  #pictures: Promise<void> | null = null;

  constructor(of: ArtifactsOf) {
    this.#of = of;
    this.#folder = join(of.folder, 'artifacts');
    this.#signal = AbortSignal.any([of.lease.signal, this.#apart.signal]);
  }

  /** Poster and storyboard; the lowest rung is whole. A failure shows in `finish`. */
  begin(): Promise<void> {
    this.#pictures ??= this.#inTime((signal) => this.#makePictures(signal));
    this.#pictures.catch(() => undefined);
    return this.#pictures;
  }

  /** The stage `packaging`; all renditions are whole. */
  async finish(): Promise<void> {
    const { lease, plan } = this.#of;
    const progress = new StageProgress(lease, 'packaging', plan, []);
    await this.begin();
    if (this.#wanted('mp4') && lease.grant.options.mp4) await this.#inTime((signal) => this.#makeMp4(signal));
    progress.share(1);
  }

  async stop(): Promise<void> {
    this.#apart.abort();
    await this.#pictures?.catch(() => undefined);
  }

  async #inTime(make: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const watchdog = new Watchdog(ARTIFACT_MS.start + ARTIFACT_MS.perSecond * this.#of.plan.duration);
    try {
      await make(AbortSignal.any([this.#signal, watchdog.signal]));
    } finally {
      watchdog.stop();
    }
  }

  async #makePictures(signal: AbortSignal): Promise<void> {
    const { renditions, plan, binaries } = this.#of;
    const lowest = plan.video[0]?.name;
    if (!lowest || !(this.#wanted('poster') || this.#wanted('storyboard'))) return;
    await mkdir(this.#folder, { recursive: true });
    const file = await renditions.get(lowest).file();
    const spec = { binaries, file, plan, folder: this.#folder, signal, nice: REST_NICE };
    if (this.#wanted('poster')) await this.#store('poster', [await makePoster(spec)]);
    if (!this.#wanted('storyboard')) return;
    const { vtt, sheets } = await makeStoryboard(spec);
    await this.#store('storyboard', [...sheets, vtt]);
  }

  async #makeMp4(signal: AbortSignal): Promise<void> {
    const { renditions, plan, binaries } = this.#of;
    const best = plan.video.at(-1)?.name ?? '';
    await mkdir(this.#folder, { recursive: true });
    const target = join(this.#folder, ARTIFACT_FILE.mp4);
    await remuxMp4({
      ...{ binaries, target, folder: this.#folder, signal, nice: REST_NICE },
      video: await renditions.get(best).file(),
      audio: plan.audio && (await renditions.get(plan.audio.name).file()),
    });
    await this.#store('mp4', [target]);
    await rm(target);
  }

  async #store(artifact: ArtifactName, paths: readonly string[]): Promise<void> {
    const files = [];
    for (const path of paths) {
      const name = basename(path);
      files.push({ name, bytes: await storeFile(this.#of.lease, `${artifact}/${name}`, path, this.#signal) });
    }
    this.#of.lease.say({ type: 'artifact', name: artifact, files });
  }

  #wanted(name: ArtifactName): boolean {
    return !this.#of.lease.grant.artifacts.includes(name);
  }
}
