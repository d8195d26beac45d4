import { describe, expect, it } from 'vitest';
import { gopOf, halved, outputRate, parseRate, perSecond, rateText, snap } from '../../transcoder-node/media/rates.ts';

const rate = (text: string) => {
  const parsed = parseRate(text);
  if (!parsed) throw new Error(`no rate: ${text}`);
  return parsed;
};

describe('the frame rate', () => {
  it.each([
    ['24000/1001', '24000/1001'],
    ['23976/1000', '24000/1001'],
    ['24/1', '24/1'],
    ['25/1', '25/1'],
    ['2997/100', '30000/1001'],
    ['30/1', '30/1'],
    ['48/1', '50/1'],
    ['50/1', '50/1'],
    ['5994/100', '60000/1001'],
    ['60/1', '60/1'],
    ['61/1', '60/1'],
    ['120/1', '60/1'],
    ['240/1', '60/1'],
    ['25/2', '25/2'],
    ['15/1', '15/1'],
    ['15000/1001', '15000/1001'],
    ['20/1', '20/1'],
    ['1/1', '5/1'],
  ])('%s becomes %s', (source, expected) => {
    expect(rateText(snap(rate(source)))).toBe(expected);
  });

  it.each([
    ['both agree', '30/1', '30/1', '30/1'],
    ['within a percent', '30/1', '2997/100', '30000/1001'],
    ['a variable rate', '57600/1', '3628800/502589', '30/1'],
    ['a phone that drops frames', '30/1', '27/1', '30/1'],
    ['nothing known', '0/0', '0/0', '30/1'],
    ['fields counted as frames', '50/1', '25/1', '25/1'],
    ['neither the pace nor twice of it', '60/1', '25/1', '30/1'],
  ])('%s', (_, nominal, average, expected) => {
    expect(rateText(outputRate(parseRate(nominal), parseRate(average)))).toBe(expected);
  });

  it.each(['24000/1001', '24/1', '25/1', '30000/1001', '30/1', '50/1', '60000/1001', '60/1', '25/2', '15/1'])(
    'groups of pictures at %s are even and last four seconds',
    (text) => {
      const gop = gopOf(rate(text));
      expect(gop % 2).toBe(0);
      expect(gop / perSecond(rate(text))).toBeCloseTo(4, 1);
    },
  );

  it.each(['50/1', '60000/1001', '60/1'])('at half of %s, half the group lasts exactly as long', (text) => {
    const full = rate(text);
    const half = halved(full);
    expect((gopOf(full) * full.den) / full.num).toBe(((gopOf(full) / 2) * half.den) / half.num);
  });
});
