/** `reelwire open JOB`: its page in the browser. Where there is no screen, the address is all one can have. */
import openInBrowser from 'open';
import { addressOf, type Context } from '../context.ts';
import { EXIT } from '../failure.ts';

export async function open(context: Context, jobId: string): Promise<number> {
  const { id } = await context.client.jobs.get(jobId);
  const address = addressOf(context, `/jobs/${id}`);
  const isOpened =
    hasScreen(process.env) &&
    (await openInBrowser(address).then(
      () => true,
      () => false,
    ));
  if (context.json) console.log(JSON.stringify({ job_id: id, url: address, opened: isOpened }));
  else console.log(address);
  return EXIT.ok;
}

/** Of other systems nobody says; on Linux the desktop does, unless somebody is here from afar. */
function hasScreen(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  if (env.SSH_CONNECTION) return false;
  return platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME);
}
