import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Small limits, so that a test can reach them. */
const limits = { MAX_UPLOAD_BYTES: String(20 * 2 ** 20) };
const open = { REELWIRE_OPEN: '1', ...limits };

/** As deployed: no open mode, secrets instead. */
const closed = {
  ...{ REELWIRE_OPEN: '', ...limits, MAX_WATCHERS_PER_JOB: '3' },
  ...{ TOKEN_SECRET: 'the-token-secret-of-these-tests', TRANSCODER_TOKEN: 'the-transcoder-token-of-these-tests' },
};

/** No test waits for a minute to go by: those about limits bring their own. */
const often = { limit: 1_000_000, period: 60 as const };
const ratelimits = {
  REQUEST_LIMIT: { namespace_id: '1', simple: often },
  SIGN_IN_LIMIT: { namespace_id: '2', simple: often },
};

const worker = (miniflare: object) => cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare });

/** Tests of who may do what run under the rules of production. */
const ACCESS = ['test/worker/{access,attacks,fuzz}*.test.ts'];

const PROJECTS = ['node', 'worker', 'access'];

/** Files that mostly wait: begun first, they are over before the others. */
const PATIENT = ['faults/faults', 'browser/playback', 'browser/web', 'browser/takeover', 'worker/heartbeat'];
const isPatient = ({ moduleId }: TestSpecification): boolean =>
  PATIENT.some((name) => moduleId.endsWith(`/test/${name}.test.ts`));

/** A worker goes on with the next file if that is of the same project: else it ends, and another one has to start. */
class ProjectByProject extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const ordered = [...sorted.filter(isPatient), ...sorted.filter((file) => !isPatient(file))];
    return PROJECTS.flatMap((name) => ordered.filter(({ project }) => project.name === name));
  }
}

/** Many tests wait for a pace, a lease or a player: two more than there are cores keep two cores busy. */
const MAX_WORKERS = 4;

/** A poll waits for an event, however busy the machine: in ms. */
const expect = { poll: { timeout: 15_000 } };

const HONO = ['', '/cookie', '/cors', '/factory', '/jwt', '/request-id', '/route', '/utils/ipaddr'];
const BUNDLED = ['itty-durable', 'zod', ...HONO.map((path) => `hono${path}`)];

const inWorkerd = {
  maxWorkers: MAX_WORKERS,
  testTimeout: 30_000,
  expect,
  /** Files of one worker share a workerd, whose start costs more than most files; what one stored, it forgets. */
  isolate: false,
  setupFiles: ['./test/worker/clean.ts'],
  /** Bundled once, not loaded module by module in every file; itty-durable's imports have no file extension besides. */
  deps: { optimizer: { ssr: { enabled: true, include: BUNDLED } } },
};

export default defineConfig({
  test: {
    globalSetup: ['./test/web-app.ts'],
    sequence: { sequencer: ProjectByProject },
    projects: [
      {
        plugins: [worker({ bindings: open })],
        test: { ...inWorkerd, name: 'worker', include: ['test/worker/**/*.test.ts'], exclude: ACCESS },
      },
      {
        plugins: [worker({ bindings: closed, ratelimits })],
        test: {
          ...{ ...inWorkerd, name: 'access', include: ACCESS },
          provide: { fuzzRequests: process.env.REELWIRE_LONG === '1' ? 10_000 : 500 },
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/{unit,transcoder,tools,e2e,faults,browser,client,cli,docs}/**/*.test.ts'],
          testTimeout: 60_000,
          expect,
          hookTimeout: 60_000,
          maxWorkers: MAX_WORKERS,
          /** Files of one worker share what they import: wrangler and the browsers' drivers take a second each. */
          isolate: false,
        },
      },
    ],
  },
});
