/** The reference of all codes, from the tables of the contract. */

import { WarningCode } from '../../src/contract/entries.ts';
import { JobErrorCode, PROBLEMS } from '../../src/contract/errors.ts';
import { JOB_ERRORS, type Meaning, PROBLEM_ADVICE, WARNINGS } from '../../src/contract/meanings.ts';
import { code, page, table } from './markdown.ts';

export const errors = (): string =>
  page(
    '# Codes',
    'Codes are stable: programs can go by them. They are never renamed. This page is made by `npm run docs`.',
    '## Answers to requests',
    'An answer that is an error is `application/problem+json`: `{ type, title, status, code, detail, request_id }`. `detail` is a sentence for people and says what is wrong in this very case; `request_id` finds the request in the log of the server.',
    problems(),
    '## How a job fails',
    'In `error` of the job, `details.code` of the event `error`, and `data.error` of the webhook `job.failed`. `retryable` beside it says whether the same file may succeed with `POST /jobs/JOB_ID/retry`.',
    meanings(JobErrorCode.options, JOB_ERRORS),
    '## Warnings',
    'In `details.code` of the event `warning`. The job goes on.',
    meanings(WarningCode.options, WARNINGS),
  );

const problems = (): string => {
  const advice = new Map<string, string>(Object.entries(PROBLEM_ADVICE));
  const rows = Object.entries(PROBLEMS).map(([name, { status, title }]) => {
    return [code(name), String(status), title, advice.get(name) ?? ''];
  });
  return table(['code', 'status', 'what it means', 'what to do'], rows);
};

const meanings = <C extends string>(codes: readonly C[], of: Record<C, Meaning>): string =>
  table(
    ['code', 'what it means', 'what to do'],
    codes.map((name) => [code(name), of[name].means, of[name].advice]),
  );
