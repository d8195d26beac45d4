/** The OpenAPI document against the application: its routes, who may use them, and what they answer. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PROBLEMS } from '../../src/contract/errors.ts';
import { ACCESS } from '../../src/worker/access/table.ts';
import { addressOf } from '../../src/worker/openapi/document.ts';
import { isPublic, OPERATIONS, problemsOf } from '../../src/worker/openapi/operations.ts';
import { documented } from './documented.ts';
import { call } from './edge.ts';

const Operation = z.object({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  responses: z.record(
    z.string(),
    z.object({ description: z.string(), content: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const Document = z.object({
  openapi: z.literal('3.1.1'),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  webhooks: z.record(z.string(), z.unknown()),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

const served = async () => Document.parse(await (await call('/openapi.json')).json());
const publicRoutes = Object.keys(ACCESS).filter(isPublic);

test('has exactly the public routes of the table of access', async () => {
  expect(Object.keys(OPERATIONS).sort()).toEqual(publicRoutes.sort());
  const { paths } = await served();
  const inDocument = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  const inTable = publicRoutes.map((route) => Object.values(addressOf(route, OPERATIONS[route])).join(' '));
  expect(inDocument.sort()).toEqual(inTable.sort());
  expect(publicRoutes.some((route) => route.includes('internal'))).toBe(false);
});

test('has each code of each route under its status, and an id for each operation', async () => {
  const { paths } = await served();
  const ids = new Set<string>();
  for (const route of publicRoutes) {
    const { method, path } = addressOf(route, OPERATIONS[route]);
    const operation = paths[path]?.[method];
    ids.add(operation?.operationId ?? '');
    for (const code of problemsOf(route)) {
      const answer = operation?.responses[PROBLEMS[code].status];
      expect(answer?.description, route).toContain(`\`${code}\``);
      expect(JSON.stringify(answer?.content?.['application/problem+json'])).toContain(`"${code}"`);
    }
    expect(operation?.security.length === 0, route).toBe(ACCESS[route]?.includes('anyone') || route.includes('/play/'));
  }
  expect(ids.size).toBe(publicRoutes.length);
});

test('knows every problem that is not for transcoders alone', () => {
  const known = new Set(publicRoutes.flatMap(problemsOf));
  const unknown = Object.keys(PROBLEMS).filter((code) => !known.has(code as keyof typeof PROBLEMS));
  expect(unknown).toEqual([
    ...['digest_mismatch', 'too_many_redirects', 'lease_refused', 'lease_lost', 'rendition_incomplete'],
    ...['outputs_missing', 'object_exists', 'protocol_unsupported'],
  ]);
});

test('describes the events of streams and webhooks', async () => {
  const { components, webhooks } = await served();
  const names = (schema: unknown): string[] =>
    [...JSON.stringify(schema).matchAll(/"const":"(\w+)"/g)].map(([, name = '']) => name);
  const ofJob = [
    'status',
    'state',
    'stage',
    'progress',
    'rendition',
    'playable',
    'warning',
    'complete',
    'error',
    'cancelled',
  ];
  expect(names(components.schemas.StreamEvent).sort()).toEqual([...ofJob, 'done'].sort());
  expect(names(components.schemas.StreamsEvent).sort()).toEqual([...ofJob, 'unavailable'].sort());
  expect(Object.keys(webhooks)).toContain('job.completed');
});

describe('the tests notice', () => {
  const jobs = (status: number, body: unknown, type = 'application/json') =>
    documented('/jobs', {}, new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type } }));
  const problem = (code: string) => ({ type: 'x', title: 'x', status: 409, code, detail: 'x', request_id: 'x' });

  test.each<[string, () => Promise<Response>, RegExp]>([
    ['a status', () => jobs(201, { jobs: [], next_cursor: null }), /201 application\/json, which is not documented/],
    ['a type', () => jobs(200, {}, 'text/csv'), /a type that is not documented/],
    ['a body', () => jobs(200, { jobs: 1 }), /expected array/],
    ['a code', () => jobs(409, problem('no_source'), 'application/problem+json'), /no_source is not documented/],
  ])('%s that is not in the document', async (_, read, complaint) => {
    await expect(read()).rejects.toThrow(complaint);
  });

  test('nothing in what is', async () => {
    await jobs(200, { jobs: [], next_cursor: null });
    await jobs(503, problem('list_unavailable'), 'application/problem+json');
  });
});
