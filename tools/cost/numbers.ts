/** Numbers of the table as people read them: 5,340 and 0.0146, never 5.34e+3. */
import { type Item, PRICES } from './prices.ts';

const WHOLE = new Intl.NumberFormat('en-US');
const ROUGH = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

export const plain = (count: number): string => (Number.isInteger(count) ? WHOLE : ROUGH).format(count);

/** What the plan has of an item, beside what is used of it; nothing to say of what is not used. */
export function includedText(item: Item, count: number): string {
  if (count === 0) return '';
  const times = PRICES[item].included / count;
  const much = times < 1 ? `${ROUGH.format(times * 100)}% of it` : `${ROUGH.format(times)} times as much`;
  return `  (${much} is included a month)`;
}
