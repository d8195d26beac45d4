/**
 * What the tests of the transcoder stand on: clips for the whole file, and for each test an edge of its own and, once
 * started, a transcoder that pulls from it. At the end of a test both are stopped, and the edge must have seen nothing
 * that breaks its rules.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Binaries } from '../../transcoder-node/media/binaries.ts';
import { Clips } from './clips.ts';
import { eventually, Harness, type Settings } from './harness.ts';
import { LoopbackEdge, type LoopbackJob } from './loopback-edge.ts';

export interface Bed {
  readonly clips: Clips;
  readonly edge: LoopbackEdge;
  /** The one that was started last. */
  readonly transcoder: Harness;
  /** Stops the one before. */
  start(settings?: Settings, binaries?: Binaries): Promise<void>;
  /** A job over `clip`, at the moment when its first segment is stored and both pairs work. */
  encoding(clip: Buffer): Promise<LoopbackJob>;
  /** Resolves when no tool and no folder of the transcoder is left. */
  gone(): Promise<void>;
}

export function testBed(): Bed {
  let clips: Clips | undefined;
  let edge: LoopbackEdge | undefined;
  let transcoder: Harness | undefined;
  const there = <T>(thing: T | undefined): T => {
    if (!thing) throw new Error('not there yet');
    return thing;
  };
  const bed: Bed = {
    get clips() {
      return there(clips);
    },
    get edge() {
      return there(edge);
    },
    get transcoder() {
      return there(transcoder);
    },
    async start(settings = {}, binaries = bed.clips.binaries) {
      await transcoder?.stop();
      transcoder = await Harness.start(bed.edge.url, binaries, settings);
    },
    async encoding(clip) {
      const job = bed.edge.addJob(clip);
      await bed.edge.until(() => job.commits.some(({ n }) => n === 1));
      expect(await bed.transcoder.tools()).toHaveLength(4);
      return job;
    },
    gone: () =>
      eventually(async () => (await bed.transcoder.tools()).length + (await bed.transcoder.folders()).length === 0),
  };
  beforeAll(async () => {
    clips = await Clips.open();
  });
  afterAll(() => clips?.close());
  beforeEach(async () => {
    edge = await LoopbackEdge.start();
  });
  afterEach(async () => {
    await transcoder?.stop();
    transcoder = undefined;
    await bed.edge.close();
    expect(bed.edge.violations).toEqual([]);
  });
  return bed;
}
