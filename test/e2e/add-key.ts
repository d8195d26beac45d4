/** A key in the database of a Worker, put there from outside as `npm run keys` does it, after the migrations. */
import type { WorkerHandle } from 'wrangler';
import { digestOf, makeKey, type Role } from '../../src/contract/access.ts';

/** What is used of D1. */
interface Database {
  prepare(sql: string): { bind(...values: unknown[]): { run(): Promise<unknown> } };
}

/** The key itself. */
export async function addKey(worker: WorkerHandle, role: Role): Promise<string> {
  const { id, key } = makeKey();
  await worker.applyD1Migrations('DB');
  const { DB } = (await worker.getEnv()) as { DB: Database };
  await DB.prepare('INSERT INTO api_keys (id, name, role, hash, created_at) VALUES (?, ?, ?, ?, 1)')
    .bind(id, `${role}-bot`, role, await digestOf(key))
    .run();
  return key;
}
