/** An http or https address, as options and settings take it. */
import { z } from 'zod';

const ON_THIS_NETWORK = /^(localhost|[\d.]+|\[[\da-f:]+\])(:|\/|$)/i;

/** The likeliest slip is the one that is answered: an address without its beginning. */
export const Address = z.url({
  protocol: /^https?$/,
  error: ({ input }) => `must be an http or https address, not "${input}"${meant(String(input))}`,
});

function meant(given: string): string {
  const address = `${ON_THIS_NETWORK.test(given) ? 'http' : 'https'}://${given}`;
  const isOne = !given.includes('://') && /[.:]|^localhost/.test(given) && URL.canParse(address);
  return isOne ? `; did you mean ${address}?` : '.';
}
