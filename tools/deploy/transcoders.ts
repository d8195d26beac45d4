/** What a transcoder needs to know of this deployment, as lines of an environment file. */
import type Cloudflare from 'cloudflare';
import { queue as lookUp } from './existing.ts';
import type { Secrets } from './secrets.ts';
import type { Wanted } from './wanted.ts';

const TOKEN = 'TRANSCODER_TOKEN';

/** `null`: the operator knows it. */
export type Settings = Record<string, string | null>;

/** The queue behind the binding TRANSCODE_QUEUE_HIGH is QUEUE_ID_HIGH to a transcoder. */
export async function settingsForTranscoders(
  { address, pulled }: Wanted,
  cloudflare: Cloudflare,
  account: string,
  secrets: Secrets,
): Promise<Settings> {
  const ids = pulled.map(async ({ binding, queue }): Promise<[string, string | null]> => {
    const found = await lookUp(cloudflare, account, queue);
    return [binding.replace('TRANSCODE_QUEUE', 'QUEUE_ID'), found?.[1].id ?? null];
  });
  return {
    EDGE_URL: address,
    [TOKEN]: secrets.get(TOKEN) ?? null,
    CLOUDFLARE_ACCOUNT_ID: account,
    CLOUDFLARE_API_TOKEN: null,
    ...Object.fromEntries(await Promise.all(ids)),
  };
}
