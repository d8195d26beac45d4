/** `npm start`: the service, kept up until Ctrl-C or SIGTERM. */
import { main } from './main.ts';
import { Service } from './service.ts';
import { readSettings } from './settings.ts';

await main(async (stop) => {
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
  return 0;
});
