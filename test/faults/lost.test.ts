/** The product's edge: what a job's transcoders may suffer in a row before the job is given up, and no faults to order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow } from '../e2e/follow.ts';
import { System } from '../e2e/system.ts';
import { Clips } from '../transcoder/clips.ts';
import { FAULTS_PATH } from './orders.ts';

let system: System;
let clips: Clips;
beforeAll(async () => {
  [system, clips] = await Promise.all([System.start({ LEASE_MS: '2000', RING_AGAIN_MS: '1000' }), Clips.open()]);
});
afterAll(() => Promise.all([system.stop(), clips.close()]));

/** Kills one transcoder after the other as soon as it has begun. Resolves with the job and what its stream tells. */
async function submitAndKill(kills: number): Promise<{ id: string; told: ReturnType<typeof follow> }> {
  const id = await system.submit(new Uint8Array(await clips.short()), 'short.mp4', { ladder: [240] });
  const told = follow(`${system.url}/jobs/${id}/stream?last_event_id=0`);
  for (let n = 0; n < kills; n += 1) {
    const transcoder = await system.transcoder();
    await transcoder.logged('task begins');
    transcoder.process.kill('SIGKILL');
    await transcoder.exited;
  }
  return { id, told };
}

const LOST = { code: 'transcoder_lost' };

test('three transcoders lost in a row without a new segment: the job fails and says why', async () => {
  const { id, told } = await submitAndKill(3);
  const events = await told;
  expect(events.filter(({ event }) => event === 'warning').map(({ data }) => data.details)).toEqual([LOST, LOST]);
  expect(events.at(-1)).toMatchObject({ event: 'error', data: { details: { ...LOST, retryable: true } } });
  expect(await system.job(id)).toMatchObject({ status: 'failed', attempt: 3, error: LOST });
}, 120_000);

/** test/unit/machine.test.ts counts the attempts too. */
test.runIf(process.env.REELWIRE_LONG === '1')(
  'two are not too many: the third completes the job',
  async () => {
    const { id, told } = await submitAndKill(2);
    await system.transcoder();
    expect((await told).at(-1)).toMatchObject({ event: 'complete' });
    expect(await system.job(id)).toMatchObject({ status: 'completed', attempt: 3, error: null });
  },
  120_000,
);

test('the product takes no orders to fail', async () => {
  expect((await fetch(system.url + FAULTS_PATH)).status).toBe(404);
});
