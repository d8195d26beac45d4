/**
 * Holds what the edge answers in any test against what the OpenAPI document says: the problem's code, or the status, the
 * type and the body, which has to fit its schema. What lies at no public address, and a page, is not
 * looked at.
 */
import { z } from 'zod';
import { Problem } from '../../src/contract/errors.ts';
import { OPERATIONS, problemsOf } from '../../src/worker/openapi/operations.ts';

const ROUTES = Object.keys(OPERATIONS).map((route) => {
  const [method = '', path = ''] = route.split(' ');
  const pattern = path.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+').replace('*', '.+');
  return { route, method, pattern: new RegExp(`^${pattern}$`) };
});

export async function documented(path: string, init: RequestInit, answer: Response): Promise<Response> {
  const asked = init.method ?? 'GET';
  const { pathname } = new URL(path, 'http://localhost');
  const found = ROUTES.find(
    ({ method, pattern }) => method === (asked === 'HEAD' ? 'GET' : asked) && pattern.test(pathname),
  );
  if (!found || new Headers(init.headers).has('X-HTTP-Method-Override')) return answer;
  const type = answer.headers.get('Content-Type')?.split(';')[0] ?? '';
  const told = `${found.route} answered ${answer.status} ${type}`;
  if (type === 'application/problem+json') {
    if (asked === 'HEAD') return answer;
    const { code } = Problem.parse(await answer.clone().json());
    if (!problemsOf(found.route).some((known) => known === code)) throw new Error(`${told}: ${code} is not documented`);
    return answer;
  }
  if (type === 'text/html') return answer;
  const said = OPERATIONS[found.route]?.answers[answer.status];
  if (!said) throw new Error(`${told}, which is not documented`);
  const content = Object.entries(said.content ?? {}).find(([known]) => known.split(';')[0] === type)?.[1];
  if (type !== '' && answer.status !== 304 && !content) throw new Error(`${told}, a type that is not documented`);
  if (type === 'application/json' && asked !== 'HEAD' && content?.schema instanceof z.ZodType) {
    content.schema.parse(await answer.clone().json());
  }
  return answer;
}
