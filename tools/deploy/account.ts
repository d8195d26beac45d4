/** Which account is meant: the one that is named, or the only one there is. */
import type Cloudflare from 'cloudflare';
import { z } from 'zod';
import { Refusal } from '../main.ts';
import { ask, everyPage } from './api.ts';

/** As many as one answer may hold. */
const PAGE = 50;

const Account = z.object({ id: z.string(), name: z.string() });

/** `name` is null when the login may not see it. */
export async function chooseAccount(
  cloudflare: Cloudflare,
  configured: string | null,
): Promise<{ id: string; name: string | null }> {
  const all = await ask('the accounts of this login', () => everyPage(cloudflare.accounts.list({ per_page: PAGE })));
  const accounts = z.array(Account).parse(all ?? []);
  const list = accounts.map(({ id, name }) => `\n  ${id}  ${name}`).join('');
  const id = process.env.CLOUDFLARE_ACCOUNT_ID || configured;
  if (id) {
    const known = accounts.find((account) => account.id === id);
    if (known || accounts.length === 0) return known ?? { id, name: null };
    throw new Refusal(
      `The account ${id} (CLOUDFLARE_ACCOUNT_ID, or account_id in wrangler.toml) is not one of this login. Name one of these, or log in as somebody else:${list}`,
    );
  }
  const [only, ...others] = accounts;
  if (only && others.length === 0) return only;
  if (only) throw new Refusal(`This login has several accounts. Set CLOUDFLARE_ACCOUNT_ID to one of these:${list}`);
  throw new Refusal('This login may not list its accounts. Set CLOUDFLARE_ACCOUNT_ID to the one that is meant.');
}
