/**
 * What an endpoint's object knows about its endpoint, as one row: settings, secrets, how it fares, and what the list
 * has still to hear. The row is made with the endpoint: asking for an unknown one stores nothing.
 */
import { z } from 'zod';
import { WebhookId } from '../../contract/ids.ts';
import { EventType, TroubleCode, type Webhook } from '../../contract/webhooks.ts';
import { HEALTHY, Health, isOpen } from './pace.ts';
import { newSecret } from './sign.ts';

const Secret = z.object({ secret: z.string(), until: z.int().nullable() });

/** Times in ms since 1970. The first secret is the current one. */
const Endpoint = z.object({
  id: WebhookId,
  /** Of an implicit endpoint: the key whose jobs use it; null where there are no keys. */
  owner: z.string().nullable(),
  implicit: z.boolean(),
  url: z.string(),
  events: z.array(EventType),
  description: z.string().nullable(),
  secrets: z.array(Secret).min(1),
  disabled: z.object({ code: TroubleCode, message: z.string(), at: z.int() }).nullable(),
  health: Health,
  created_at: z.int(),
  updated_at: z.int(),
  /** Rises with every change that the list shows. */
  version: z.int(),
  /** Gone for everybody; what is left has only to be taken from the list. */
  deleted: z.boolean(),
  /** When the list is to be told; null if it knows. `round`: how often it was told of the deletion. */
  listing: z.object({ due_at: z.number(), tries: z.int(), round: z.int() }).nullable(),
});
export type Endpoint = z.infer<typeof Endpoint>;

export type NewEndpoint = Pick<Endpoint, 'id' | 'owner' | 'implicit' | 'url' | 'events' | 'description'>;

export const LIST_NOW = { due_at: 0, tries: 0, round: 0 };

/** `version`: of the endpoint that had this id before. */
export function made(given: NewEndpoint, at: number, version: number): Endpoint {
  return {
    ...given,
    secrets: [{ secret: newSecret(), until: null }],
    disabled: null,
    health: HEALTHY,
    created_at: at,
    updated_at: at,
    version: version + 1,
    deleted: false,
    listing: LIST_NOW,
  };
}

/** With a new secret; those before sign beside it for a while. */
export function rotated(endpoint: Endpoint, at: number, overlapMs: number): Endpoint {
  const before = validSecrets(endpoint, at).map(({ secret, until }) => {
    return { secret, until: Math.min(until ?? Number.POSITIVE_INFINITY, at + overlapMs) };
  });
  return { ...endpoint, secrets: [{ secret: newSecret(), until: null }, ...before] };
}

/** As it is to be stored: of what the list shows differently it has to hear. */
export function revised(before: Endpoint, after: Endpoint, at: number): Endpoint {
  if (JSON.stringify(viewOf(before)) === JSON.stringify(viewOf(after))) return after;
  return { ...after, updated_at: at, version: before.version + 1, listing: LIST_NOW };
}

export const validSecrets = ({ secrets }: Endpoint, at: number): Endpoint['secrets'] =>
  secrets.filter(({ until }) => until === null || until > at);

function statusOf({ disabled, health }: Endpoint): Webhook['status'] {
  if (disabled) return 'disabled';
  return isOpen(health) ? 'failing' : 'enabled';
}

export function viewOf(endpoint: Endpoint): Webhook {
  const { id, url, events, description, implicit, created_at, updated_at } = endpoint;
  return {
    ...{ id, url, events, description, implicit, status: statusOf(endpoint), trouble: troubleOf(endpoint) },
    ...{ created_at: iso(created_at), updated_at: iso(updated_at) },
  };
}

function troubleOf({ disabled, health }: Endpoint): Webhook['trouble'] {
  if (disabled) return { code: disabled.code, message: disabled.message, since: iso(disabled.at) };
  if (!isOpen(health) || health.failing_since === null) return null;
  const message = `The last deliveries failed (${health.last_failure}). Events are kept; one at a time is tried.`;
  return { code: 'failing', message, since: iso(health.failing_since) };
}

export const iso = (at: number): string => new Date(at).toISOString();

export class EndpointRow {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  create(): void {
    this.#sql.exec('CREATE TABLE IF NOT EXISTS endpoint (one INTEGER PRIMARY KEY CHECK (one = 1), data TEXT)');
  }

  load(): Endpoint | null {
    const [exists] = this.#sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'endpoint'`).toArray();
    const [row] = exists ? this.#sql.exec<{ data: string }>('SELECT data FROM endpoint').toArray() : [];
    return row ? Endpoint.parse(JSON.parse(row.data)) : null;
  }

  save(endpoint: Endpoint): void {
    this.#sql.exec('INSERT OR REPLACE INTO endpoint VALUES (1, ?)', JSON.stringify(Endpoint.parse(endpoint)));
  }
}
