/** Names that follow from what they name: whoever makes one again makes the same. */
import { createHash } from 'node:crypto';

const digest = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** The endpoint that a key's jobs share when they have this `webhook_url`: a UUID of version 8, made of the digest. */
export function implicitId(owner: string | null, url: string): string {
  const hex = digest(owner ?? '', url);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}

/** The `webhook-id` of what this entry of the job's log tells this endpoint. */
export const eventId = (endpoint: string, job: string, seq: number): string =>
  `msg_${digest(endpoint, job, String(seq)).slice(0, 32)}`;

export const randomEventId = (): string => `msg_${crypto.randomUUID().replaceAll('-', '')}`;
