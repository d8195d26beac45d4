/**
 * The blocks of each page that the test of the pages does not run: how the first line begins, and why not, or the file of
 * the test that runs it. A block that is neither marked nor here fails the test, and so does a line here that does not
 * stand for exactly one block.
 */
type NotRun = readonly [begins: string, because: string];

const ACCOUNT = 'it needs an account at Cloudflare';
const PICTURE = 'it is a picture';
const OLD_CLIENTS = 'test/browser/old-clients.test.ts';

export const NOT_RUN: Record<string, readonly NotRun[]> = {
  'README.md': [
    ['npm run demo', 'test/tools/demo.test.ts'],
    ['flowchart LR', PICTURE],
  ],
  'docs/access.md': [
    ['REELWIRE_OPEN=', 'it is a file of settings'],
    ['npm run keys -- create', 'test/cli/keys.test.ts'],
    ['npx wrangler secret delete', ACCOUNT],
  ],
  'docs/cli.md': [
    ['npx reelwire process holiday.mp4', 'test/cli/watching.test.ts'],
    ['job=$(npx reelwire process', 'it needs jq'],
  ],
  'docs/client.md': [["import { Reelwire } from 'reelwire-client';", 'test/client/pack.test.ts']],
  'docs/concepts.md': [['stateDiagram-v2', PICTURE]],
  'docs/deploy.md': [
    ['npm run deploy -- --domain', ACCOUNT],
    ['EDGE_URL=https://video.example.com', 'it is a file of settings'],
    ['docker build', 'it needs Docker; what the image is made of: test/tools/image.test.ts'],
    ['git clone --depth', 'it changes the system'],
    ['npx wrangler rollback', ACCOUNT],
  ],
  'docs/guides/browser.md': [["import Hls from 'hls.js';", 'test/browser/playback.test.ts']],
  'docs/guides/react.md': [
    ["import { Reelwire } from 'reelwire-client';", 'it needs a page: that of the client is shown by its test'],
  ],
  'docs/migrating.md': [
    ['/** Sends a file as a form', OLD_CLIENTS],
    ['export interface Step {', OLD_CLIENTS],
    ["import type { Step } from './until-done.ts';", OLD_CLIENTS],
    ['type Handler = ', OLD_CLIENTS],
    ["const EVENTS = ['status'", OLD_CLIENTS],
  ],
  'docs/operations.md': [
    ['npm run transcoder -- --edge', 'test/transcoder/process.test.ts'],
    ['scrape_configs:', 'it is a file of settings for Prometheus'],
    ['npx wrangler tail', ACCOUNT],
    ['npx openapi-typescript', 'test/e2e/reference.test.ts'],
  ],
  'docs/transcoder.md': [['npm run transcoder -- --edge', 'test/transcoder/process.test.ts']],
  'docs/tutorial.md': [['npm start', 'test/tools/service.test.ts']],
  'docs/webhooks.md': [['POST /hook HTTP/1.1', 'it shows a request']],
};
