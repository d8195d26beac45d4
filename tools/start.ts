/** `npm start`: the service, kept up until Ctrl-C or SIGTERM. */
import { main } from './main.ts';
import { Service } from './service.ts';
import { readSettings, refuseOptions, startCommand } from './settings.ts';

await main(async (stop) => {
  refuseOptions('npm start', process.argv.slice(2));
  const settings = readSettings();
  const service = await Service.open(settings, {
    deathsAllowed: { edge: Number.POSITIVE_INFINITY, transcoder: Number.POSITIVE_INFINITY },
    say: console.error,
  });
  try {
    await service.start(stop);
    console.log(`Reelwire is ready at ${settings.address}`);
    const stopped = new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([stopped, service.failed]);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    await service.stop();
  }
  console.error(`Reelwire has stopped. Jobs that are not over go on with the next "${startCommand()}".`);
  return 0;
});
