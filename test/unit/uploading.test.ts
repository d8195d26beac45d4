/** A job whose source arrives piece by piece: what its log tells, and what is refused before the source is whole. */
import { describe, expect, test } from 'vitest';
import { isVisible } from '../../src/contract/entries.ts';
import { view } from '../../src/durable/job/view.ts';
import { AWAIT, CREATE, FETCH, JobModel, RECEIVED, types } from './commands.ts';

const TOTAL = CREATE.source.size_bytes;

function awaiting(): JobModel {
  const model = new JobModel();
  model.run(AWAIT);
  return model;
}

const receive = (model: JobModel, bytes: number, total: number | null = TOTAL) =>
  model.run({ type: 'receive', bytes, total });

test('it is there from the creation on, and its way to the queue is told in order', () => {
  const model = awaiting();
  model.now += 1000;
  receive(model, 427);
  model.run(RECEIVED);
  const told = model.log.map((entry) =>
    isVisible(entry) ? [entry.type, entry.data.progress, entry.data.message] : entry.type,
  );
  expect(told).toEqual([
    '_job',
    ['state', 5, 'Job created'],
    ['stage', 5, 'Uploading'],
    ['progress', 5, 'Uploading'],
    ['progress', 7, 'Uploading: 42 %'],
    '_source',
    ['state', 10, 'Waiting for a transcoder'],
  ]);
  expect(view(model.job)).toMatchObject({ status: 'pending', stage: 'uploading', progress: 10 });
});

test('a job that is created with its source has the log it always had', () => {
  const model = new JobModel();
  expect(types(model.run(CREATE))).toEqual(['_job', 'state', 'stage', 'progress', 'state']);
  expect(view(model.job).latest_events.map(({ message }) => message)).toEqual([
    'Job created',
    'Upload stored',
    'Upload stored',
    'Waiting for a transcoder',
  ]);
});

test('bytes are told with the total, or without one while nobody knows it', () => {
  const model = awaiting();
  model.now += 1000;
  expect(receive(model, 500)).toMatchObject([{ data: { details: { bytes_received: 500, bytes_total: TOTAL } } }]);
  const deferred = awaiting();
  deferred.now += 1000;
  const [entry] = receive(deferred, 2_500_000, null);
  expect(entry).toMatchObject({
    data: { message: 'Uploading: 2.5 MB', progress: 5, details: { bytes_received: 2_500_000, bytes_total: null } },
  });
});

test('at most once a second, and only what is new', () => {
  const model = awaiting();
  model.now += 1000;
  expect(receive(model, 100)).toHaveLength(1);
  model.now += 999;
  expect(receive(model, 200)).toEqual([]);
  model.now += 1;
  expect(receive(model, 100)).toEqual([]);
  expect(receive(model, 200)).toHaveLength(1);
});

test('no lease is given before the source is whole, and one is from then on', () => {
  const model = awaiting();
  expect(() => model.lease('r1')).toThrow(expect.objectContaining({ code: 'lease_refused' }));
  model.run(RECEIVED);
  expect(model.lease('r1')).toBe(1);
  expect(model.job.source).toEqual(CREATE.source);
});

test('said twice, that the source is whole changes nothing', () => {
  const model = awaiting();
  expect(types(model.run(RECEIVED))).toEqual(['_source', 'state']);
  expect(model.run({ ...RECEIVED, size_bytes: 1 })).toEqual([]);
  expect(receive(model, 5000)).toEqual([]);
  expect(model.job.source).toEqual(CREATE.source);
});

test('an ended job wants no bytes and no source', () => {
  const model = awaiting();
  model.run({ type: 'cancel', by: 'the API' });
  const refused = expect.objectContaining({ code: 'invalid_state' });
  expect(() => receive(model, 1)).toThrow(refused);
  expect(() => model.run(RECEIVED)).toThrow(refused);
});

test('without its source it cannot be tried again; with it, it can', () => {
  const model = awaiting();
  model.run({ type: 'cancel', by: 'the API' });
  expect(() => model.run({ type: 'retry', by: 'the API' })).toThrow(expect.objectContaining({ code: 'no_source' }));
  const whole = awaiting();
  whole.run(RECEIVED);
  whole.run({ type: 'cancel', by: 'the API' });
  expect(types(whole.run({ type: 'retry', by: 'the API' }))).toEqual(['state', 'state']);
});

test('an upload that is not finished in time fails its job, for good; one that is finished does not', () => {
  const model = awaiting();
  expect(types(model.run({ type: 'expire_upload' }))).toEqual(['error']);
  expect(view(model.job)).toMatchObject({ status: 'failed', error: { code: 'upload_expired', retryable: false } });
  const whole = awaiting();
  whole.run(RECEIVED);
  expect(whole.run({ type: 'expire_upload' })).toEqual([]);
});

describe('a source that is fetched from a URL', () => {
  const fetching = (): JobModel => {
    const model = new JobModel();
    model.run(FETCH);
    return model;
  };
  const failed = (run: number) =>
    ({ type: 'fail_source', run, code: 'source_refused', message: 'no', retryable: false }) as const;

  test('is told as it comes', () => {
    const model = fetching();
    model.now += 1000;
    const [entry] = receive(model, 500);
    expect(entry).toMatchObject({ data: { message: 'Fetching: 50 %', progress: 7 } });
    model.run(RECEIVED);
    expect(view(model.job)).toMatchObject({ status: 'pending', progress: 10 });
  });

  test('ends its job when it cannot be had, and is fetched once more when that is tried again', () => {
    const model = fetching();
    model.now += 1000;
    receive(model, 900);
    model.run(failed(1));
    expect(view(model.job)).toMatchObject({ status: 'failed', error: { code: 'source_refused' } });
    expect(types(model.run({ type: 'retry', by: 'the API' }))).toEqual(['state', 'stage', 'progress']);
    expect(view(model.job)).toMatchObject({ status: 'pending', stage: 'uploading', progress: 5, error: null });
    model.now += 1000;
    expect(receive(model, 100)).toHaveLength(1);
    expect(() => model.lease('r1')).toThrow(expect.objectContaining({ code: 'lease_refused' }));
  });

  test('fails only the run that it was fetched for, and no job that has its source', () => {
    const model = fetching();
    model.run({ type: 'cancel', by: 'the API' });
    model.run({ type: 'retry', by: 'the API' });
    expect(model.run(failed(1))).toEqual([]);
    model.run(RECEIVED);
    expect(model.run(failed(model.job.run_seq))).toEqual([]);
    expect(model.job.status).toBe('pending');
  });

  test('that is here is not fetched again by a retry', () => {
    const model = fetching();
    model.run(RECEIVED);
    model.run({ type: 'cancel', by: 'the API' });
    expect(types(model.run({ type: 'retry', by: 'the API' }))).toEqual(['state', 'state']);
  });

  test('that takes too long ends in a code of its own', () => {
    const model = fetching();
    model.run({ type: 'expire_upload' });
    expect(view(model.job).error).toEqual({ code: 'source_timeout', retryable: true });
  });
});
