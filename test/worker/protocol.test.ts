/** The version of the transcoders' protocol: said by both sides, and refused when it is not spoken here. */
import { describe, expect, test } from 'vitest';
import { Health } from '../../src/contract/api.ts';
import { PROTOCOL, PROTOCOL_HEADER, PROTOCOLS } from '../../src/contract/transcoder.ts';
import { call, job, problemOf, submit } from './edge.ts';

const SPOKEN = PROTOCOLS.join(', ');

function lease(id: string, protocol: string | null): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', ...(protocol !== null && { [PROTOCOL_HEADER]: protocol }) };
  const body = JSON.stringify({ task: 'main', transcoder: 'box', request_id: `as ${protocol}`.replaceAll(' ', '-') });
  return call(`/internal/jobs/${id}/lease`, { method: 'POST', headers, body });
}

describe('the protocol of transcoders', () => {
  test.each([
    ['that say nothing, as the first ones', null],
    ['that say a version spoken here', String(PROTOCOL)],
  ])('transcoders %s are served, and told what is spoken', async (_, protocol) => {
    const answer = await lease(await submit(), protocol);
    expect([answer.status, answer.headers.get(PROTOCOL_HEADER)]).toEqual([200, SPOKEN]);
  });

  test.each(['0', String(Math.max(...PROTOCOLS) + 1), '1.0', 'new'])(
    '%s is refused and takes nothing',
    async (other) => {
      const id = await submit();
      const answer = await lease(id, other);
      expect(answer.headers.get(PROTOCOL_HEADER)).toBe(SPOKEN);
      const { status, code, detail } = await problemOf(answer);
      expect([status, code]).toEqual([426, 'protocol_unsupported']);
      expect(detail).toContain(`speaks ${SPOKEN}`);
      expect(await job(id)).toMatchObject({ status: 'pending', attempt: 0 });
    },
  );

  test('/health says what is spoken here, and this release of the transcoder speaks it', async () => {
    const health = Health.parse(await (await call('/health')).json());
    expect(health.protocols).toEqual(PROTOCOLS);
    expect(health.protocols).toContain(PROTOCOL);
  });
});
