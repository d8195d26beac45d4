/** The steps that make what wrangler.toml names: whether it is there, and the one command that makes it. */
import { Refusal } from '../main.ts';
import type { Existing } from './existing.ts';
import type { Wanted } from './wanted.ts';

export interface Step {
  /** What there is afterwards. */
  what: string;
  isThere: boolean;
  /** Arguments of wrangler. */
  make: string[];
}

/** As many as Queues allows: a doorbell is rung again anyhow, and the dead-letter queue is for people. */
const MESSAGE_RETRIES = '100';

/** Uploads of ours end within six days; what R2 has of others after seven is of a request that was never finished. */
const UNFINISHED_RULE = 'reelwire-unfinished-uploads';
const UNFINISHED_DAYS = '7';

export function resources({ buckets, databases, queues, pulled }: Wanted, existing: Existing): Step[] {
  return [
    ...buckets.flatMap((name) => [
      {
        what: `the R2 bucket ${name}`,
        isThere: existing.buckets.has(name),
        make: ['r2', 'bucket', 'create', name],
      },
      {
        what: `the rule that ends forgotten uploads in ${name}`,
        isThere: existing.buckets.get(name)?.includes(UNFINISHED_RULE) ?? false,
        make: [
          ...['r2', 'bucket', 'lifecycle', 'add', name, UNFINISHED_RULE],
          ...['--abort-multipart-days', UNFINISHED_DAYS, '--force'],
        ],
      },
    ]),
    ...databases.map(({ name }) => ({
      what: `the D1 database ${name}`,
      isThere: existing.databases.has(name),
      make: ['d1', 'create', name],
    })),
    ...queues.map((name) => ({
      what: `the queue ${name}`,
      isThere: existing.queues.has(name),
      make: ['queues', 'create', name],
    })),
    ...pulled.map(({ queue, deadLetters }) => ({
      what: `the pull consumer of ${queue}`,
      isThere: isPulled(queue, existing),
      make: [
        ...['queues', 'consumer', 'http', 'add', queue, '--message-retries', MESSAGE_RETRIES],
        ...['--dead-letter-queue', deadLetters],
      ],
    })),
  ];
}

function isPulled(name: string, { queues }: Existing): boolean {
  const { isPulled = false, consumer = null } = queues.get(name) ?? {};
  if (consumer === null) return isPulled;
  throw new Refusal(
    `The queue ${name} is consumed by the Worker ${consumer}, so transcoders cannot pull from it. If that is not wanted: ` +
      `npx wrangler queues consumer worker remove ${name} ${consumer}`,
  );
}

export const migrations = ({ databases }: Wanted): Omit<Step, 'isThere'>[] =>
  databases.map(({ binding, name }) => ({
    what: `the migrations of the database ${name}`,
    make: ['d1', 'migrations', 'apply', binding, '--remote'],
  }));
