/** Secrets and signatures as Standard Webhooks has them: HMAC-SHA256 over `id.timestamp.body`, one per valid secret. */

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

export const newSecret = (): string => PREFIX + crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64();

/** The value of `webhook-signature`. `seconds` since 1970 is the time of this attempt. */
export async function signatures(
  secrets: readonly string[],
  id: string,
  seconds: number,
  body: string,
): Promise<string> {
  const signed = new TextEncoder().encode(`${id}.${seconds}.${body}`);
  const each = secrets.map(async (secret) => {
    const key = Uint8Array.fromBase64(secret.slice(PREFIX.length));
    const hmac = await crypto.subtle.sign(
      'HMAC',
      await crypto.subtle.importKey('raw', key, HMAC, false, ['sign']),
      signed,
    );
    return `v1,${new Uint8Array(hmac).toBase64()}`;
  });
  return (await Promise.all(each)).join(' ');
}
