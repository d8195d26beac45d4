/** Cancel, retry and delete, in every state that a job can be in. */
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/durable/job/draft.ts';
import type { TimelessCommand } from '../../src/durable/job/machine.ts';
import { awaiting, CREATE, created, type JobModel, types } from './commands.ts';

/** A job in each state that it can be in. */
const STATES: Record<string, () => JobModel> = {
  uploading: awaiting,
  'cancelled while uploading': () => {
    const model = awaiting();
    model.run({ type: 'cancel', by: 'the API' });
    return model;
  },
  'not uploaded in time': () => {
    const model = awaiting();
    model.run({ type: 'expire_upload' });
    return model;
  },
  queued: created,
  encoding: () => {
    const model = created();
    model.lease('r1');
    return model;
  },
  storing: () => {
    const model = created();
    model.run({ type: 'store', lease: model.work('r1') });
    return model;
  },
  completed: () => {
    const model = created();
    model.run({ type: 'complete', lease: model.work('r1'), result: { duration_seconds: 12 }, artifacts: [] });
    return model;
  },
  failed: () => {
    const model = created();
    const error = { code: 'not_media' as const, message: 'no', retryable: false };
    model.run({ type: 'fail', lease: model.lease('r1'), error });
    return model;
  },
  cancelled: () => {
    const model = created();
    model.run({ type: 'cancel', by: 'the API' });
    return model;
  },
  deleted: () => {
    const model = created();
    model.run({ type: 'delete', by: 'the API' });
    return model;
  },
};

describe('cancel, retry and delete in every state', () => {
  const by = 'the API';
  const CANCELLED = ['cancelled'];
  const RETRIED = ['state', 'state'];
  test.each<[string, string[] | string, string[] | string, string[]]>([
    ['uploading', CANCELLED, 'The job is pending;', ['cancelled', '_deleted']],
    ['cancelled while uploading', [], 'The source never arrived whole.', ['_deleted']],
    ['not uploaded in time', 'The job is failed', 'The source never arrived whole.', ['_deleted']],
    ['queued', CANCELLED, 'The job is pending;', ['cancelled', '_deleted']],
    ['encoding', CANCELLED, 'The job is processing;', ['cancelled', '_deleted']],
    ['storing', CANCELLED, 'The job is processing;', ['cancelled', '_deleted']],
    ['completed', 'The job is completed', 'The job is completed;', ['_deleted']],
    ['failed', 'The job is failed', RETRIED, ['_deleted']],
    ['cancelled', [], RETRIED, ['_deleted']],
    ['deleted', 'There is no job', 'There is no job', []],
  ])('%s', (state, cancelled, retried, deleted) => {
    const outcome = (command: TimelessCommand): string[] | string => {
      const model = STATES[state]?.() ?? created();
      try {
        const entries = types(model.run(command));
        if (command.type !== 'retry') expect(model.run(command)).toEqual([]);
        return entries;
      } catch (error) {
        return error instanceof Refusal ? error.message : 'no refusal';
      }
    };
    const same = (expected: string[] | string) =>
      typeof expected === 'string' ? expect.stringContaining(expected) : expected;
    expect(outcome({ type: 'cancel', by })).toEqual(same(cancelled));
    expect(outcome({ type: 'retry', by: 'the API' })).toEqual(same(retried));
    expect(outcome({ type: 'delete', by })).toEqual(deleted);
  });

  test('whoever works on a deleted job is told that it is gone', () => {
    const model = created();
    const lease = model.lease('r1');
    model.run({ type: 'delete', by });
    expect(() => model.run({ type: 'report', lease, entries: [], commits: [] })).toThrow(
      expect.objectContaining({ code: 'job_not_found' }),
    );
    expect(model.run(CREATE)).toEqual([]);
  });
});
