/**
 * `npm run demo [-- FILE] [--json]`: one video through the whole system, watched live. Exit code 0 only when the job
 * completed. Whatever happens, nothing is left running that was not running before, and no temporary folder.
 */
import { chooseDisplay } from '../cli/display/choose.ts';
import { makeClip } from './demo/clip.ts';
import { readOptions } from './demo/options.ts';
import { type Reach, reach } from './demo/reach.ts';
import { runJob } from './demo/run.ts';
import { main } from './main.ts';
import { makeScratch, removeScratch } from './scratch.mjs';
import { readSettings } from './settings.ts';

await main(async (stop) => {
  const { file, json } = readOptions(process.argv.slice(2), process.env);
  const settings = readSettings();
  const display = chooseDisplay(json, false);
  const scratch = makeScratch('clip');
  let reached: Reach | null = null;
  try {
    const video = file ?? (await makeClip(scratch, stop));
    reached = await reach(settings, stop, (text) => display.note(text));
    return await runJob(video, reached, { display, stop, json });
  } finally {
    display.end();
    await reached?.leave();
    removeScratch(scratch);
  }
});
