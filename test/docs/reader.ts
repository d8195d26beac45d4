/**
 * Somebody who follows a page from its top to its end. Its addresses become those of the edge under test, of its videos
 * and of what the page itself serves, so nothing leaves this machine; what stands there in capitals is what the latest
 * answer on the page has called so, and JOB_ID at first a completed job.
 */
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';
import { ROOT } from '../../tools/paths.mjs';
import { freePort } from '../tools/running.ts';
import { execute, launch } from './execute.ts';
import type { Block } from './pages.ts';
import type { Workshop } from './workshop.ts';

export interface Place {
  readonly edge: string;
  readonly workshop: Workshop;
  /** A server with the videos of the workshop. */
  readonly videos: string;
  /** A completed job. */
  readonly job: string;
  /** With the role `admin`. */
  readonly key: string;
}

const EDGE = /https?:\/\/(?:localhost:8787|video\.example\.com)/g;
const VIDEOS = /https:\/\/media\.example\.com/g;
/** A server that a page shows: where it listens, and where others are told that it is. */
const LISTENS = /(?<=\.listen\()3000\b/g;
const SERVES = /https:\/\/example\.com/g;
const PLACEHOLDERS: Record<string, RegExp> = {
  JOB_ID: /(?:"job_id":"|^Job )([\w-]+)/gm,
  TOKEN: /"token":"([\w.-]+)"/g,
  WEBHOOK_ID: /"id":"([\w-]+)","url":/g,
  WEBHOOK_SECRET: /"secret":"(whsec_[^"]+)"/g,
  KEY_ID: /"id":"([0-9a-f]{12})"/g,
};
const PROBLEM = '"type":"urn:reelwire:problem:';
const OF_THE_REPOSITORY = /^npm /;

export class Reader {
  readonly #place: Place;
  readonly #port: number;
  readonly #known: Map<string, string>;
  readonly #serving: ReturnType<typeof launch>[] = [];
  #heard = '';

  private constructor(place: Place, port: number) {
    this.#place = place;
    this.#port = port;
    this.#known = new Map([['JOB_ID', place.job]]);
  }

  static async of(place: Place): Promise<Reader> {
    return new Reader(place, await freePort());
  }

  /** Runs the block; fails if it fails, or prints something else than it says behind `# ->`. */
  async run(block: Block): Promise<void> {
    const { code, stdout, stderr } = await execute(...(await this.#command(block)));
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    for (const [, names = ''] of block.text.matchAll(/# -> (.+)$/gm)) {
      for (const name of names.split(', ')) expect(stdout).toContain(name);
    }
    for (const [name, pattern] of Object.entries(PLACEHOLDERS)) {
      const value = [...stdout.matchAll(pattern)].at(-1)?.[1];
      if (value) this.#known.set(name, value);
    }
    this.#heard = stdout;
  }

  /** Compares the block with what was printed last; an answer that no block shows must not be a refusal. */
  hear(answer: Block | undefined): void {
    if (!answer) expect(this.#heard).not.toContain(PROBLEM);
    else if (answer.language === 'json')
      expect(JSON.parse(this.#heard)).toMatchObject(pattern(this.#fill(answer.text)));
    else expectLines(this.#heard, this.#fill(answer.text));
  }

  /** Lets the block run until `close()`. */
  async serve(block: Block): Promise<void> {
    this.#serving.push(launch(...(await this.#command(block))));
  }

  async close(): Promise<void> {
    for (const { end } of this.#serving) end();
    await Promise.all(this.#serving.map(({ ended }) => ended));
  }

  async #command(block: Block): Promise<Parameters<typeof launch>> {
    const { edge, workshop, key } = this.#place;
    const reelwire = { REELWIRE_URL: edge, REELWIRE_KEY: key, EDGE_URL: edge, XDG_STATE_HOME: workshop.folder };
    const env = { ...Object.fromEntries(this.#known), ...reelwire, EDGE: edge, KEY: key };
    const text = this.#fill(block.text);
    if (block.language !== 'sh') {
      const name = await workshop.keep({ ...block, text });
      return [process.execPath, workshop.arguments(name), { cwd: workshop.folder, env }];
    }
    const cwd = OF_THE_REPOSITORY.test(text) ? ROOT : workshop.folder;
    const PATH = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`;
    // `npm run` installs what is missing: not in the middle of a test.
    const npm = { npm_config_ignore_scripts: 'true' };
    return ['bash', ['-eu', '-o', 'pipefail', '-c', text], { cwd, env: { ...env, ...npm, PATH } }];
  }

  #fill(text: string): string {
    const served = text.replace(LISTENS, String(this.#port)).replace(SERVES, `http://127.0.0.1:${this.#port}`);
    const named = served.replace(EDGE, this.#place.edge).replace(VIDEOS, this.#place.videos);
    return named.replace(/\b[A-Z]+_ID\b|\bTOKEN\b/g, (name) => this.#known.get(name) ?? name);
  }
}

/** `…` stands for whatever is there. */
function pattern(json: string): object {
  return JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.includes('…')) return value;
    return value === '…' ? expect.anything() : expect.stringMatching(lineLike(value));
  });
}

const lineLike = (text: string): RegExp =>
  new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*')}$`);

/** The lines are printed in this order; others may stand between them. */
function expectLines(printed: string, shown: string): void {
  const lines = printed.split('\n');
  let from = 0;
  for (const line of shown.split('\n').filter((text) => text.trim() !== '')) {
    const at = lines.findIndex((text, i) => i >= from && lineLike(line).test(text));
    expect(at, `"${line}" is not in\n${lines.slice(from).join('\n')}`).not.toBe(-1);
    from = at + 1;
  }
}
