const EVENTS = ['status', 'state', 'stage', 'progress', 'rendition', 'playable', 'warning'];
const LAST = ['complete', 'error', 'cancelled'];

/** For a page with one handler that looks at `type`. Returns what ends it. */
export function oneHandler(edge: string, job: string, onMessage: (message: { type: string }) => void): () => void {
  const source = new EventSource(`${edge}/jobs/${job}/stream`);
  for (const type of [...EVENTS, ...LAST]) {
    source.addEventListener(type, (event) => {
      if (!(event instanceof MessageEvent)) return;
      if (LAST.includes(type)) source.close();
      onMessage({ ...JSON.parse(event.data), type });
    });
  }
  return () => source.close();
}
