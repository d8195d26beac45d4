export interface Step {
  stage: string;
  progress: number;
  message: string;
}

export interface UntilDone {
  onProgress(step: Step): void;
  onDone(): void;
  onError(): void;
}

/** Knows `status`, `progress` and `done`, and takes every error for the end. */
export function untilDone(edge: string, job: string, { onProgress, onDone, onError }: UntilDone): EventSource {
  const source = new EventSource(`${edge}/jobs/${job}/stream`);
  source.addEventListener('status', ({ data }) => onProgress(JSON.parse(data)));
  source.addEventListener('progress', ({ data }) => onProgress(JSON.parse(data)));
  source.addEventListener('done', () => {
    source.close();
    onDone();
  });
  source.addEventListener('error', () => {
    source.close();
    onError();
  });
  return source;
}
