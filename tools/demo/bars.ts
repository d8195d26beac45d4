/** Live bars: one for the whole job, and while a stage works on renditions one for each of them. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { z } from 'zod';
import { type Display, renditionsOf, speedText, visibleOf } from './display.ts';

const FORMAT = '{name} {bar} {percentage}% {text}';
const NAME_WIDTH = 12;

const Stored = z.object({ details: z.object({ name: z.string() }) });

export class Bars implements Display {
  readonly #bars = new MultiBar(
    {
      format: FORMAT,
      stream: process.stdout,
      barsize: 30,
      hideCursor: true,
      gracefulExit: false,
      fps: 8,
      autopadding: true,
    },
    Presets.shades_classic,
  );
  readonly #renditions = new Map<string, SingleBar>();
  #job: SingleBar | null = null;

  note(text: string): void {
    if (this.#job === null) console.log(text);
    else this.#bars.log(`${text}\n`);
  }

  event(event: Parameters<Display['event']>[0]): void {
    const visible = visibleOf(event);
    if (visible === null) return;
    const job = { name: visible.stage.padEnd(NAME_WIDTH), text: visible.message };
    this.#job ??= this.#bars.create(100, 0, job);
    this.#job.update(visible.progress, job);
    if (event.event === 'warning') this.note(`Warning: ${visible.message}`);
    for (const { name, percent, speed } of renditionsOf(event)) this.#rendition(name, percent, speedText(speed));
    const stored = event.event === 'rendition' ? Stored.safeParse(event.data) : null;
    if (stored?.success) this.#rendition(stored.data.details.name, 100, 'stored');
  }

  #rendition(name: string, percent: number, text: string): void {
    const payload = { name: `  ${name}`.padEnd(NAME_WIDTH), text };
    const bar = this.#renditions.get(name) ?? this.#bars.create(100, 0, payload);
    this.#renditions.set(name, bar);
    bar.update(Math.floor(percent), payload);
  }

  end(): void {
    if (this.#job !== null) this.#bars.stop();
    this.#job = null;
  }
}
