/** The test files of a worker share its workerd and its modules: each leaves both as it found them. */
import { reset } from 'cloudflare:test';
import { afterAll, vi } from 'vitest';
import './resolved.ts';

afterAll(async () => {
  vi.restoreAllMocks();
  await reset();
});
