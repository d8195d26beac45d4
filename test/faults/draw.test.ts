/** The draw of a round: replayable, and over many rounds of every kind. */
import { expect, test } from 'vitest';
import { draw } from './draw.ts';
import { kindOf } from './orders.ts';

test('the same number draws the same round, another number another one', () => {
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('every kind of fault comes up, and no request suffers two', () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 100; seed += 1) {
    const { blows, orders, disturbances } = draw(seed);
    for (const { kind } of [...blows, ...disturbances]) kinds.add(kind);
    for (const { order } of orders) kinds.add(kindOf(order));
    expect(new Set(disturbances.map(({ at }) => at)).size).toBe(disturbances.length);
  }
  expect([...kinds].sort()).toEqual([
    ...['cut_answer', 'cut_request', 'd1_refused', 'd1_unanswered', 'delay', 'delay_answer', 'duplicate', 'kill'],
    ...['overtake', 'queue_doubled', 'queue_dropped', 'queue_refused', 'queue_unanswered'],
    ...['r2_refused', 'r2_unanswered', 'restart', 'stop', 'terminate'],
  ]);
});
