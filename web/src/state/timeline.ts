/** When each stage of a job's last run began and ended, as its log tells it. */
import type { Stage, VisibleEntry } from '../../../client/index.ts';

export interface Span {
  readonly name: Stage | 'waiting';
  /** In ms since 1970; `to` is null for what goes on. */
  readonly from: number;
  readonly to: number | null;
}

export function timelineOf(entries: readonly VisibleEntry[]): Span[] {
  const spans: { name: Span['name']; from: number; to: number | null }[] = [];
  const begin = (name: Span['name'], at: number) => {
    const last = spans.at(-1);
    if (last?.to === null && last.name === name) return;
    if (last?.to === null) last.to = at;
    spans.push({ name, from: at, to: null });
  };
  for (const { type, at, data } of entries) {
    switch (type) {
      case 'state':
        if (data.details.state === 'retried') spans.length = 0;
        if (data.details.state === 'created') begin('uploading', at);
        else begin(data.details.state === 'leased' ? 'transcoding' : 'waiting', at);
        break;
      case 'stage':
        if (data.stage !== 'uploading') begin(data.stage, at);
        break;
      case 'complete':
      case 'error':
      case 'cancelled': {
        const last = spans.at(-1);
        if (last?.to === null) last.to = at;
        break;
      }
      default:
        break;
    }
  }
  return spans.filter(({ name, from, to }) => name !== 'completed' && to !== from);
}
