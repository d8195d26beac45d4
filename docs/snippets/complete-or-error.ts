import type { Step } from './until-done.ts';

export interface CompleteOrError {
  onProgress(step: Step): void;
  onComplete(event: Step & { details: { result: unknown } }): void;
  onFailure(event: Step & { details: { code?: string } }): void;
  /** The server will not have this page, or is not there: nothing more comes. */
  onRefused(): void;
}

/** Tells a job that failed from a connection that was lost; the browser mends the second by itself. */
export function completeOrError(edge: string, job: string, on: CompleteOrError): EventSource {
  const source = new EventSource(`${edge}/jobs/${job}/stream`);
  for (const name of ['status', 'progress']) {
    source.addEventListener(name, ({ data }) => on.onProgress(JSON.parse(data)));
  }
  source.addEventListener('complete', ({ data }) => {
    source.close();
    on.onComplete(JSON.parse(data));
  });
  source.addEventListener('cancelled', ({ data }) => {
    source.close();
    on.onFailure(JSON.parse(data));
  });
  source.addEventListener('error', (event) => {
    if (event instanceof MessageEvent) {
      source.close();
      on.onFailure(JSON.parse(event.data));
    } else if (source.readyState === EventSource.CLOSED) {
      on.onRefused();
    }
  });
  return source;
}
