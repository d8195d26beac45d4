/**
 * The judge of what a client handled: each visible entry exactly once, in order, as the log has it. A client that
 * began afresh owes what came after its `status`. The one thing that may be missing is a `progress` that a newer one
 * of the same stage and attempt supersedes; an attempt begins and ends with a `state`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { VisibleEntry } from '../../src/contract/entries.ts';
import type { Heard } from '../browser/page/listen.ts';

/** What is wrong, in words; empty when nothing is. */
export function complaints(log: readonly VisibleEntry[], heard: readonly Heard[]): string[] {
  const [first] = heard;
  const from = first?.event === 'status' ? first.id : 0;
  const entries = first?.event === 'status' ? heard.slice(1) : heard;
  const bySeq = new Map(log.map((entry) => [entry.seq, entry]));
  const found: string[] = [];
  let last = from;
  for (const { id, event, data } of entries) {
    const entry = bySeq.get(id);
    if (id <= last) found.push(`${event} ${id} came after ${last}`);
    if (entry?.type !== event || !isDeepStrictEqual(entry.data, data)) {
      found.push(`${event} ${id} is not what the log has`);
    }
    last = id;
  }
  const ids = new Set(entries.map(({ id }) => id));
  for (const [i, entry] of log.entries()) {
    if (entry.seq <= from || ids.has(entry.seq) || isSuperseded(entry, log.slice(i + 1))) continue;
    found.push(`${entry.type} ${entry.seq} was not handled`);
  }
  return found;
}

function isSuperseded(entry: VisibleEntry, later: readonly VisibleEntry[]): boolean {
  if (entry.type !== 'progress') return false;
  for (const { type, data } of later) {
    if (type === 'state') return false;
    if (type === 'progress' && data.stage === entry.data.stage) return true;
  }
  return false;
}
