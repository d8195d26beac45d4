/**
 * Runs before every command: installs the dependencies when package-lock.json says something new, else does nothing
 * within milliseconds. node_modules/.reelwire-setup, written last, holds the lockfile's hash and the kind of machine.
 * One install at a time: a second terminal waits. Everything said goes to stderr; stdout belongs to the command.
 * Runs on Node 20 with nothing installed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isInstalled } from './installed.mjs';
import { acquire, LockHeld } from './lock.mjs';
import { whatIsMissing } from './machine.mjs';
import { ROOT } from './paths.mjs';

const MARKER = join(ROOT, 'node_modules', '.reelwire-setup');
const say = (text) => process.stderr.write(`${text}\n`);

const fingerprint = () => {
  const lockfile = readFileSync(join(ROOT, 'package-lock.json'));
  return `${createHash('sha256').update(lockfile).digest('hex')} ${process.platform}-${process.arch}\n`;
};

function isDone() {
  try {
    return readFileSync(MARKER, 'utf8') === fingerprint();
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

async function lockInstall() {
  for (let told = false; ; told = true) {
    try {
      return acquire(join(ROOT, '.wrangler', 'install.lock'));
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      if (!told) say(`Another command (process ${error.holder.pid}) is installing the dependencies; waiting for it.`);
      await delay(200);
    }
  }
}

/**
 * The parent `npm run` hands its own settings down as `npm_config_*`. Those about *where* and *what* to install would
 * bend this install (`npm test --omit=dev`, `npm -s run`), so they stay behind; registry, proxy and cache go along.
 */
function npmEnvironment() {
  const dropped =
    /^npm_config_(omit|only|also|production|dev|optional|dry_run|global|location|prefix|local_prefix|workspaces?|include_workspace_root|package_lock(_only)?|if_present|json|parseable|loglevel|long|silent|quiet|node_gyp|nodedir)$/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !dropped.test(name)));
  const bundled = join(ROOT, 'node_modules', '.bin');
  env.PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((entry) => entry !== bundled)
    .join(delimiter);
  return env;
}

/** The npm that runs this script, on the Node it runs on; `npm` from PATH when there is none. */
function npmCommand() {
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  return npm && node && basename(npm) === 'npm-cli.js' ? [node, npm] : ['npm'];
}

function npmCi() {
  const [program, ...first] = npmCommand();
  const flags = [
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const child = spawn(program, [...first, 'ci', ...flags], {
    cwd: ROOT,
    env: npmEnvironment(),
    stdio: ['ignore', 2, 2],
  });
  const pass = (signal) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`npm could not be started (${error.message})`));
    child.once('exit', (code, signal) => resolve(code === 0 ? null : `npm ci ended with ${signal ?? `code ${code}`}`));
  }).finally(() => process.off('SIGINT', pass).off('SIGTERM', pass));
}

async function setup() {
  if (isDone()) return null;
  const missing = whatIsMissing();
  if (missing !== null) return missing;
  const lock = await lockInstall();
  try {
    if (isDone()) return null;
    if (!isInstalled(ROOT)) {
      say('Installing the dependencies (once; about a minute on a slow line) ...');
      const failure = await npmCi();
      if (failure !== null) return `${failure}. The lines above say why; when that is mended, run the command again.`;
      if (!isInstalled(ROOT)) {
        return 'npm ci ended well but left packages out (optional ones that could not be fetched, most likely). Check the network, then run the command again.';
      }
      say('The dependencies are installed.');
    }
    writeFileSync(MARKER, fingerprint());
    return null;
  } finally {
    lock.release();
  }
}

const failure = await setup();
if (failure !== null) {
  say(failure);
  process.exitCode = 1;
}
