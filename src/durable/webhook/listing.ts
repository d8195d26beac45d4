/**
 * Tells the list of endpoints what it has not heard. Before it is told, the endpoint's row says when to try again, so
 * what fails or is cut off by a restart comes again. A deletion is told twice, the second time for what was on its
 * way; then the endpoint is forgotten.
 */
import { type Env, settings } from '../env.ts';
import { backoffMs, within } from '../timing.ts';
import type { EndpointRow } from './endpoint.ts';
import { listWebhook, unlistWebhook } from './list.ts';

/** How long the list may take to answer. */
const LIST_MS = 5000;

export class Listing {
  readonly #storage: DurableObjectStorage;
  readonly #row: EndpointRow;
  readonly #onPlanned: () => void;

  /** `onPlanned` is called when the time of the next try has changed. */
  constructor(storage: DurableObjectStorage, row: EndpointRow, onPlanned: () => void) {
    this.#storage = storage;
    this.#row = row;
    this.#onPlanned = onPlanned;
  }

  /** False when the list could not be told. Never rejects. */
  async tell(env: Env): Promise<boolean> {
    const endpoint = this.#row.load();
    if (!endpoint?.listing) return true;
    const { id, deleted, version, listing } = endpoint;
    const { tries, round } = listing;
    this.#row.save({ ...endpoint, listing: { due_at: Date.now() + 1000 + backoffMs(tries), tries: tries + 1, round } });
    this.#onPlanned();
    try {
      await within(LIST_MS, deleted ? unlistWebhook(env.DB, id) : listWebhook(env.DB, endpoint));
      await this.#told(env, version, round);
      return true;
    } catch (error) {
      console.error(JSON.stringify({ msg: 'webhook not listed', webhook: id, error: String(error) }));
      return false;
    }
  }

  async #told(env: Env, version: number, round: number): Promise<void> {
    const endpoint = this.#row.load();
    if (endpoint?.version !== version) return;
    if (endpoint.deleted && round > 0) {
      await this.#storage.deleteAlarm();
      await this.#storage.deleteAll();
      return;
    }
    const later = { due_at: Date.now() + settings(env).SWEEP_AGAIN_MS, tries: 0, round: 1 };
    this.#row.save({ ...endpoint, listing: endpoint.deleted ? later : null });
    this.#onPlanned();
  }
}
