/**
 * The OpenAPI document: made of the schemas that validate, the table of access and the table of problems. It is the
 * same for every caller, so it is made once in the life of an isolate, when somebody asks for it.
 */
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
  type ZodOpenApiSchemaObject,
} from 'zod-openapi';
import { Role, Scope } from '../../contract/access.ts';
import { PROBLEMS, type ProblemCode } from '../../contract/errors.ts';
import { ACCESS, OUTPUTS, PLAY, type Who, WITH_TOKEN_IN_QUERY } from '../access/table.ts';
import { version } from '../version.ts';
import { override, REFERRED } from './components.ts';
import type { Operation, Tag } from './operation.ts';
import { OPERATIONS, problemsOf } from './operations.ts';
import { SENT_EVENTS } from './webhooks.ts';

const ABOUT = `Upload a video; everyone who cares watches it become a stream, live.

Every answer has an \`X-Request-Id\`. Refusals are \`application/problem+json\`: \`code\` is for programs and never renamed,
\`detail\` says what to do next. With 429, and where waiting helps, comes \`Retry-After\`, in seconds.`;

const TAGS: Record<Tag, string> = {
  Jobs: 'Send videos, follow them, cancel them, try them again.',
  Uploads: 'Uploads that survive broken connections: tus 1.0.0.',
  Playback: 'HLS, DASH, pictures.',
  Webhooks: 'Be told of jobs at an address of yours.',
  Access: 'Keys and tokens.',
  Service: 'The server itself.',
};

const SECURITY = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A key (`rw_...`) or a token.' },
  session: { type: 'apiKey', in: 'cookie', name: '__Host-reelwire_session', description: 'As POST /session sets it.' },
  play: { type: 'apiKey', in: 'cookie', name: 'reelwire_play', description: 'As POST /jobs/{id}/tokens sets it.' },
  query: { type: 'apiKey', in: 'query', name: 'token', description: 'A job token, for an EventSource.' },
} as const;

type Document = ReturnType<typeof createDocument>;
let made: Document | undefined;

export function openApiDocument(): Document {
  made ??= createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Reelwire',
        version,
        description: ABOUT,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The server that this document came from.' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      paths: paths(),
      webhooks: SENT_EVENTS,
      components: { schemas: REFERRED, securitySchemes: SECURITY },
    },
    { override },
  );
  return made;
}

function paths(): ZodOpenApiPathsObject {
  const found: ZodOpenApiPathsObject = {};
  for (const [route, operation] of Object.entries(OPERATIONS)) {
    const { method, path } = addressOf(route, operation);
    found[path] = { ...found[path], [method]: described(route, operation) };
  }
  return found;
}

/** `GET /jobs/:id/outputs/*` is `get` at `/jobs/{id}/outputs/{path}`. */
export function addressOf(route: string, operation?: Operation): { method: string; path: string } {
  const [method = '', pattern = ''] = route.split(' ');
  const path = pattern.replace(/:(\w+)/g, '{$1}').replace('*', '{path}');
  return { method: operation?.method ?? method.toLowerCase(), path };
}

function described(route: string, operation: Operation): ZodOpenApiOperationObject {
  const { tag, id, summary, description, path, query, headers, body, answers } = operation;
  const who = ACCESS[route] ?? [];
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, `For ${inWords(who)}.`].filter((text) => text !== undefined).join('\n\n'),
    security: securityOf(route, who),
    requestParams: { ...(path && { path }), ...(query && { query }), ...(headers && { header: headers }) },
    ...(body && { requestBody: { required: body.required ?? false, content: body.content } }),
    responses: { ...answers, ...problems(route) },
  };
}

function inWords(who: readonly Who[]): string {
  if (who.includes('anyone')) return 'everybody';
  const kindOf = (one: Who): string =>
    Role.safeParse(one).success ? 'key' : Scope.safeParse(one).success ? 'job token' : 'upload token';
  const kinds = Map.groupBy(who, kindOf);
  return [...kinds].map(([kind, ones]) => `${kind}s (${ones.map((one) => `\`${one}\``).join(', ')})`).join(' and ');
}

function securityOf(route: string, who: readonly Who[]): Record<string, string[]>[] {
  if (who.includes('anyone') || route === PLAY) return [];
  const schemes: (keyof typeof SECURITY)[] = ['bearer'];
  if (who.some((one) => Role.safeParse(one).success)) schemes.push('session');
  if (route === OUTPUTS) schemes.push('play');
  if (WITH_TOKEN_IN_QUERY.includes(route)) schemes.push('query');
  return schemes.map((scheme) => ({ [scheme]: [] }));
}

function problems(route: string): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(problemsOf(route), (code) => PROBLEMS[code].status);
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, problem(codes)]));
}

function problem(codes: readonly ProblemCode[]): ZodOpenApiResponseObject {
  const schema: ZodOpenApiSchemaObject = {
    allOf: [{ $ref: '#/components/schemas/Problem' }],
    type: 'object',
    properties: { code: { type: 'string', enum: [...codes] } },
  };
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join('\n\n'),
    content: { 'application/problem+json': { schema } },
  };
}
