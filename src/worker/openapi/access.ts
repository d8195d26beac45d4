/** Keys, tokens and sessions, in the words of the document. */
import {
  ApiKey,
  JobToken,
  JobTokenRequest,
  KeyRequest,
  KeysPage,
  NewApiKey,
  Session,
  SessionRequest,
  WhoAmI,
} from '../../contract/access.ts';
import { answer, BODY, JOB, json, type Operations } from './operation.ts';
import { jobPath, keyPath } from './parameters.ts';

const cookie = { 'Set-Cookie': { schema: { type: 'string' } } } as const;

export const ACCESS_OPERATIONS: Operations = {
  'POST /jobs/:id/tokens': {
    tag: 'Access',
    id: 'createJobToken',
    summary: 'Make a token that lets somebody watch or play one job',
    path: jobPath,
    body: { required: true, content: json(JobTokenRequest) },
    answers: { 201: answer('The token.', JobToken) },
    problems: [...JOB, ...BODY],
  },
  'GET /keys': {
    tag: 'Access',
    id: 'listKeys',
    summary: 'List keys',
    answers: { 200: answer('All keys, without their secrets.', KeysPage) },
    problems: [],
  },
  'POST /keys': {
    tag: 'Access',
    id: 'createKey',
    summary: 'Make a key',
    body: { required: true, content: json(KeyRequest) },
    answers: { 201: answer('The key. It is told this once.', NewApiKey) },
    problems: BODY,
  },
  'DELETE /keys/:id': {
    tag: 'Access',
    id: 'revokeKey',
    summary: 'Revoke a key',
    path: keyPath,
    answers: { 200: answer('The key opens nothing any more.', ApiKey) },
    problems: ['key_not_found'],
  },
  'GET /session': {
    tag: 'Access',
    id: 'whoAmI',
    summary: 'Who asks, and what they may do',
    answers: { 200: answer('The role is null for who has to sign in first.', WhoAmI) },
    problems: ['unauthorized', 'keys_unavailable'],
  },
  'POST /session': {
    tag: 'Access',
    id: 'signIn',
    summary: 'Sign a browser in with a key',
    body: { required: true, content: json(SessionRequest) },
    answers: { 200: answer('The browser has a cookie.', Session, cookie) },
    problems: [...BODY, 'unauthorized', 'forbidden', 'keys_unavailable'],
  },
  'DELETE /session': {
    tag: 'Access',
    id: 'signOut',
    summary: 'Sign a browser out',
    answers: { 204: { description: 'The cookie is gone.', headers: cookie } },
    problems: ['forbidden'],
  },
};
