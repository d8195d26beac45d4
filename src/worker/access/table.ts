/**
 * Who may use which route. A route that is not in this table is refused, whoever asks; only open mode lets everybody
 * do everything that is in it.
 */
import type { Role, Scope } from '../../contract/access.ts';

/** A key with this role, a token of this job with this scope, an upload token, a transcoder; or no question asked. */
export type Who = Role | Scope | 'upload' | 'transcoder' | 'anyone';

const READERS = ['read', 'submit', 'admin'] as const;
const WRITERS = ['submit', 'admin'] as const;
const TRANSCODERS = ['transcoder'] as const;

/** The outputs of a job; the same below the token that opens them. */
export const OUTPUTS = 'GET /jobs/:id/outputs/*';
export const PLAY = 'GET /play/:token/*';

/** The web app, which holds nothing of anybody. Browsers that go to `/` and `/jobs/:id` get the first. */
export const PAGES: readonly string[] = ['GET /index.html', 'GET /watch/:id', 'GET /assets/:name'];

export const ACCESS: Readonly<Record<string, readonly Who[]>> = {
  'GET /': ['anyone'],
  'GET /health': ['anyone'],
  'GET /ready': ['anyone'],
  'GET /openapi.json': ['anyone'],
  'GET /docs': ['anyone'],
  'GET /docs/rapidoc.js': ['anyone'],
  'GET /metrics': READERS,
  ...Object.fromEntries(PAGES.map((route) => [route, ['anyone'] as const])),
  'GET /session': ['anyone'],
  'POST /session': ['anyone'],
  'DELETE /session': ['anyone'],

  'POST /process': [...WRITERS, 'upload'],
  'POST /uploads/tokens': WRITERS,
  'POST /uploads': [...WRITERS, 'upload'],
  /** The upload object looks whose it is: but for admin keys, an upload is there only for who began it. HEAD is GET. */
  'GET /uploads/:id': [...WRITERS, 'upload'],
  'PATCH /uploads/:id': [...WRITERS, 'upload'],
  'DELETE /uploads/:id': [...WRITERS, 'upload'],

  'GET /jobs': READERS,
  'POST /jobs': WRITERS,
  'GET /streams': [...READERS, 'watch'],
  'GET /jobs/:id': [...READERS, 'watch'],
  'GET /jobs/:id/stream': [...READERS, 'watch'],
  'GET /jobs/:id/events': [...READERS, 'watch'],
  [OUTPUTS]: [...READERS, 'play'],
  [PLAY]: ['play'],
  'POST /jobs/:id/tokens': READERS,
  'POST /jobs/:id/cancel': WRITERS,
  'POST /jobs/:id/retry': WRITERS,
  'DELETE /jobs/:id': ['admin'],

  'GET /keys': ['admin'],
  'POST /keys': ['admin'],
  'DELETE /keys/:id': ['admin'],

  'GET /webhooks': ['admin'],
  'POST /webhooks': ['admin'],
  'GET /webhooks/:id': ['admin'],
  'PATCH /webhooks/:id': ['admin'],
  'DELETE /webhooks/:id': ['admin'],
  'POST /webhooks/:id/rotate': ['admin'],
  'POST /webhooks/:id/enable': ['admin'],
  'POST /webhooks/:id/disable': ['admin'],
  'POST /webhooks/:id/test': ['admin'],
  'GET /webhooks/:id/deliveries': ['admin'],
  'POST /webhooks/:id/deliveries/:event_id/redeliver': ['admin'],

  'POST /internal/fleet': TRANSCODERS,
  'POST /internal/jobs/:id/lease': TRANSCODERS,
  'POST /internal/jobs/:id/report': TRANSCODERS,
  'POST /internal/jobs/:id/release': TRANSCODERS,
  'POST /internal/jobs/:id/finish': TRANSCODERS,
  'GET /internal/jobs/:id/source': TRANSCODERS,
  'PUT /internal/jobs/:id/outputs/:folder/:name': TRANSCODERS,
  'GET /internal/jobs/:id/outputs/:folder/:take/:name': TRANSCODERS,
  'POST /internal/jobs/:id/outputs/:folder/:name/parts': TRANSCODERS,
  'PUT /internal/jobs/:id/outputs/:folder/:name/parts/:part': TRANSCODERS,
  'POST /internal/jobs/:id/outputs/:folder/:name/parts/complete': TRANSCODERS,

  /** The stand-in for the pull API of Cloudflare Queues, on a machine of one's own. */
  'POST /client/v4/accounts/:account/queues/:queue/messages/pull': TRANSCODERS,
  'POST /client/v4/accounts/:account/queues/:queue/messages/ack': TRANSCODERS,
};

/** Where an EventSource, which can send no header, may have its token in the query. */
export const WITH_TOKEN_IN_QUERY = ['GET /jobs/:id/stream', 'GET /jobs/:id/events', 'GET /streams'];

/** What players and pages load piece by piece, hundreds of them behind one address: served without counting requests. */
export const UNCOUNTED = [OUTPUTS, PLAY, ...PAGES];
