/** The command line: which commands and options there are, and what their help says. Commands are loaded when they run. */
import { Command, InvalidArgumentError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { Role } from '../src/contract/access.ts';
import { Status } from '../src/contract/stages.ts';
import { Address } from './address.ts';
import type { CHANGES } from './commands/change.ts';
import type { JobsOptions } from './commands/jobs.ts';
import type { KeysContext } from './commands/keys.ts';
import type { ProcessOptions } from './commands/process.ts';
import type { Context } from './context.ts';
import { connect, type GivenSettings, readSettings } from './settings.ts';
import { typed } from './typed.ts';

const URL_DEFAULT = 'http://localhost:8787';
const LIMIT_DEFAULT = 20;

const EXIT_CODES = `
Exit codes:
  0  done; with --watch: every job is completed
  1  a job failed or was cancelled; doctor: something needs mending
  2  the command line or a setting cannot be used
  3  the server refuses, or does not answer
  130, 143  stopped by Ctrl-C, by SIGTERM; jobs go on without you`;

/** `done` is told the exit code of the command that has run. */
export function program(stop: AbortSignal, done: (exitCode: number) => void): Command {
  const reelwire = new Command(typed())
    .description('Upload videos to a Reelwire, watch them become streams, and look after them.')
    .version(manifest.version)
    .addOption(new Option('--url <address>', 'where the Reelwire is').env('REELWIRE_URL').default(URL_DEFAULT))
    .addOption(new Option('--key <key>', 'an API key; better in the environment').env('REELWIRE_KEY'))
    .option('--json', 'for programs: JSON, one object a line')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .showHelpAfterError(false)
    .addHelpText('after', EXIT_CODES);

  const context = (): Context => {
    const settings = readSettings(reelwire.opts<GivenSettings>());
    return { ...settings, client: connect(settings, stop), stop };
  };

  reelwire
    .command('process')
    .summary('upload videos, and watch them if asked')
    .description(
      'Uploads videos, one after the other. An upload that was broken off goes on where it was when the same command is given again. Without --watch it ends when all are uploaded; the jobs run on the server.',
    )
    .argument('<file...>', 'video files')
    .option('--watch', 'stay, and show the progress of every job until it ends')
    .option('--webhook <url>', 'where the events of these jobs are sent', address)
    .addHelpText('after', `\nExample:\n  ${typed('process holiday.mp4 party.mov --watch')}`)
    .action(async (files: string[], options: ProcessOptions) => {
      const { processVideos } = await import('./commands/process.ts');
      done(await processVideos(context(), files, options));
    });

  reelwire
    .command('watch')
    .summary('follow jobs until they end')
    .description('Shows the progress of jobs, live, until they end. Ctrl-C asks whether to leave or to cancel them.')
    .argument('<job...>', 'ids of jobs')
    .action(async (jobs: string[]) => {
      const { watch } = await import('./commands/watch.ts');
      done(await watch(context(), jobs));
    });

  reelwire
    .command('jobs')
    .summary('list jobs, newest first')
    .description('Lists jobs, newest first.')
    .addOption(new Option('--status <status>', 'only those in this state').choices(Status.options))
    .option('--limit <n>', 'at most so many', wholeNumber, LIMIT_DEFAULT)
    .action(async (options: JobsOptions) => {
      const { jobs } = await import('./commands/jobs.ts');
      done(await jobs(context(), options));
    });

  reelwire
    .command('show')
    .summary('show one job')
    .description('Shows one job: its state, how long each stage took, what was made of it, and where it can be played.')
    .argument('<job>', 'id of a job')
    .action(async (job: string) => {
      const { show } = await import('./commands/show.ts');
      done(await show(context(), job));
    });

  const changes: Record<keyof typeof CHANGES, string> = {
    cancel: 'Cancels a job. What is finished of it stays until it is deleted or expires.',
    retry: 'Tries a job again that has failed or was cancelled. It goes on from what is there.',
    delete: 'Deletes a job in whatever state, with its source and all that was made of it. Needs a key that may.',
  };
  for (const name of ['cancel', 'retry', 'delete'] as const) {
    reelwire
      .command(name)
      .summary(`${name} a job`)
      .description(changes[name])
      .argument('<job>', 'id of a job')
      .action(async (job: string) => {
        const { change } = await import('./commands/change.ts');
        done(await change(context(), name, job));
      });
  }

  reelwire
    .command('open')
    .summary("open a job's page in the browser")
    .description("Opens a job's page in the browser, and prints its address.")
    .argument('<job>', 'id of a job')
    .action(async (job: string) => {
      const { open } = await import('./commands/open.ts');
      done(await open(context(), job));
    });

  addKeys(reelwire, stop, done);

  reelwire
    .command('doctor')
    .summary('look for what is wrong, and say how to mend it')
    .description(
      'Looks at the tools and the disk of this machine (for transcoding), at the edge, the key and the clock, and says how to mend what is wrong.',
    )
    .action(async () => {
      const { doctor } = await import('./commands/doctor.ts');
      done(await doctor(context()));
    });

  return reelwire;
}

function addKeys(reelwire: Command, stop: AbortSignal, done: (exitCode: number) => void): void {
  const keys = reelwire
    .command('keys')
    .summary('make, list and revoke API keys')
    .description(
      'Makes, lists and revokes API keys, straight in the database: that of STATE_DIR, or with --remote that of your deployment.',
    );
  const context = ({ remote = false, env = '' }: { remote?: boolean; env?: string }): KeysContext => ({
    place: { remote, env },
    json: reelwire.opts<GivenSettings>().json ?? false,
    stop,
  });
  const subcommand = (name: string, description: string) =>
    keys
      .command(name)
      .description(description)
      .option('--remote', 'the deployed database, reached with wrangler')
      .option('--env <name>', 'the environment of wrangler.toml: production');

  subcommand('create', 'Makes a key, and shows it this once.')
    .requiredOption('--name <name>', 'how people know it')
    .addOption(new Option('--role <role>', 'what it may do').choices(Role.options).makeOptionMandatory())
    .action(async ({ name, role, ...where }) => {
      const { createKey } = await import('./commands/keys.ts');
      done(await createKey(context(where), { name, role }));
    });
  subcommand('list', 'Lists all keys, without their secrets.').action(async (options) => {
    const { listKeys } = await import('./commands/keys.ts');
    done(await listKeys(context(options)));
  });
  subcommand('revoke', 'Revokes a key: from then on it opens nothing.')
    .argument('<id>', 'id of a key: 12 hexadecimal digits')
    .action(async (id: string, options) => {
      const { revokeKey } = await import('./commands/keys.ts');
      done(await revokeKey(context(options), id));
    });
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}

function address(text: string): string {
  const { success, data, error } = Address.safeParse(text);
  if (!success) throw new InvalidArgumentError(`It ${error.issues[0]?.message}`);
  return data;
}
