/**
 * Live bars: one for each video on its way, one for each job, and while a stage works on renditions one for each of
 * them. A row is as wide as the terminal at most: the bar gives way first, then the text is cut. There are no more rows
 * than the terminal has, for those that have scrolled away cannot be drawn again.
 */
import cliProgress, { type MultiBar, type Options, type Params, type SingleBar } from 'cli-progress';
import { isEnd } from '../../client/events.ts';
import type { StreamEvent } from '../../client/index.ts';
import { type Display, etaOf, renditionsOf, type Sent } from './display.ts';
import { Pace } from './pace.ts';
import { clip, fit } from './table.ts';
import { durationText, sizeText, speedText } from './units.ts';

const FRAMES_PER_SECOND = 4;
const NAME_WIDTH = 14;
const LABELLED_NAME_WIDTH = 30;
const TEXT_WIDTH = 46;
const BAR = { least: 8, most: 30 };

/** One below the bars, one above for what is said. */
const SPARE_ROWS = 2;
const ROWS_DEFAULT = 24;

type Terminal = NodeJS.WritableStream & { readonly rows?: number };

interface RowText {
  name: string;
  text: string;
}

interface Row {
  bar: SingleBar;
  pace: Pace;
}

export class Bars implements Display {
  readonly #nameWidth: number;
  readonly #isLabelled: boolean;
  readonly #stream: Terminal;
  readonly #bars: MultiBar;
  readonly #rows = new Map<string, Row>();

  /** `labelled`: each row says which video it is about. */
  constructor(labelled: boolean, stream: Terminal = process.stdout) {
    this.#isLabelled = labelled;
    this.#stream = stream;
    this.#nameWidth = labelled ? LABELLED_NAME_WIDTH : NAME_WIDTH;
    const format = (_: Options, { progress, maxWidth }: Params, text: RowText) => this.#line(progress, maxWidth, text);
    this.#bars = new cliProgress.MultiBar({
      ...{ format, stream, fps: FRAMES_PER_SECOND },
      ...{ hideCursor: true, gracefulExit: false, forceRedraw: true },
    });
  }

  note(text: string): void {
    if (this.#rows.size === 0) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#bars.log(`${text}\n`);
    this.#bars.update();
  }

  sent(video: string, { sent, total }: Sent): void {
    const row = this.#row(`${video} sent`);
    row?.pace.add(sent);
    const speed = row?.pace.perSecond ?? null;
    const isOver = sent === total || speed === null;
    const rest = isOver ? [] : [`${sizeText(speed)}/s`, leftText(row?.pace.secondsTo(total))];
    const text = sentence(`${sizeText(sent)} of ${sizeText(total)}`, ...rest);
    row?.bar.update((sent / total) * 100, { name: this.#name(video, 'upload'), text });
  }

  event(video: string, event: StreamEvent): void {
    const { stage, progress, message } = event.data;
    this.#remove(`${video} sent`);
    const text = sentence('of the job', message, leftText(etaOf(event)));
    this.#row(`${video} job`)?.bar.update(progress, { name: this.#name(video, stage), text });
    if (event.event === 'warning') this.note(`${this.#isLabelled ? `${video}: ` : ''}Warning: ${message}`);
    for (const { name, percent, speed } of renditionsOf(event)) this.#rendition(video, name, percent, speedText(speed));
    if (event.event === 'rendition') {
      const { name, vmaf } = event.data.details;
      this.#rendition(video, name, 100, vmaf ? `stored, VMAF ${vmaf.mean.toFixed(1)}` : 'stored');
    }
    if (this.#isLabelled && isEnd(event)) {
      for (const id of [...this.#rows.keys()]) if (id.startsWith(`${video} rendition `)) this.#remove(id);
    }
  }

  end(): void {
    if (this.#rows.size > 0) this.#bars.stop();
    this.#rows.clear();
  }

  #rendition(video: string, name: string, percent: number, said: string): void {
    const row = this.#row(`${video} rendition ${name}`);
    row?.pace.add(percent);
    const text = sentence(said, percent < 100 ? leftText(row?.pace.secondsTo(100)) : '');
    row?.bar.update(percent, { name: this.#name(video, `  ${name}`), text });
  }

  /** Null where there is no room for another one. */
  #row(id: string): Row | null {
    const known = this.#rows.get(id);
    if (known) return known;
    if (this.#rows.size >= (this.#stream.rows ?? ROWS_DEFAULT) - SPARE_ROWS) return null;
    const row = { bar: this.#bars.create(100, 0, { name: '', text: '' }), pace: new Pace() };
    this.#rows.set(id, row);
    return row;
  }

  #remove(id: string): void {
    const row = this.#rows.get(id);
    if (row) this.#bars.remove(row.bar);
    this.#rows.delete(id);
  }

  #name(video: string, what: string): string {
    if (!this.#isLabelled) return fit(what, this.#nameWidth);
    return `${fit(video, this.#nameWidth - NAME_WIDTH)}${fit(` ${what}`, NAME_WIDTH)}`;
  }

  #line(progress: number, width: number, { name, text }: RowText): string {
    const room = width - this.#nameWidth - TEXT_WIDTH;
    const size = Math.max(BAR.least, Math.min(BAR.most, room));
    const done = Math.round(Math.min(1, progress) * size);
    const percent = `${Math.floor(progress * 100)}%`.padStart(4);
    return clip(`${name} ${'█'.repeat(done)}${'░'.repeat(size - done)} ${percent} ${text}`, width);
  }
}

const leftText = (seconds: number | null | undefined): string =>
  seconds === null || seconds === undefined ? '' : `${durationText(seconds)} left`;

const sentence = (...parts: string[]): string => parts.filter((part) => part !== '').join(', ');
