/** The watch over the log: it knows a secret when it sees one, and nothing else. */
import { expect, it } from 'vitest';
import { SecretWatch } from '../../tools/checks/secrets.ts';

const key = `rw_${'0a'.repeat(6)}_${'0b'.repeat(24)}`;
const token = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from('{"exp":17}').toString('base64url')}.${'x'.repeat(43)}`;

it.each([
  ['a key', key],
  ['a token', token],
  ['a signed address', '/jobs/1/stream?token=abc'],
  ['a secret of a webhook', `whsec_${'Q'.repeat(32)}`],
  ['a header', 'authorization: Bearer transcoder-token'],
])('finds %s in a line of the log', (_, secret) => {
  const watch = new SecretWatch();
  watch.look(JSON.stringify({ msg: 'request', path: '/jobs' }));
  expect([watch.lines, watch.found]).toEqual([1, []]);
  const line = JSON.stringify({ msg: 'request', path: `before ${secret} after` });
  watch.look(line);
  expect([watch.lines, watch.found]).toEqual([2, [line]]);
});

it('does not mind what tests print themselves', () => {
  const watch = new SecretWatch();
  watch.look(`✓ refuses ${key}`);
  expect([watch.lines, watch.found]).toEqual([0, []]);
});
