/**
 * The Firefox of this machine, driven over WebDriver BiDi: JSON commands with a number over one WebSocket, each answered
 * under its number. Only what a test of ours needs of it. (The protocol of the npm packages is ahead of what an extended
 * support release understands.)
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { findProgram, Leashed } from '../e2e/leashed.ts';

/** Null when it is not installed. */
export const FIREFOX = findProgram('firefox-esr');

const Message = z.union([
  z.object({ type: z.literal('success'), id: z.int(), result: z.unknown() }),
  z.object({ type: z.literal('error'), id: z.int(), error: z.string(), message: z.string() }),
  z.object({ type: z.literal('event') }),
]);
const Tree = z.object({ contexts: z.array(z.object({ context: z.string() })) });
const Evaluated = z.union([
  z.object({ type: z.literal('success'), result: z.object({ type: z.literal('string'), value: z.string() }) }),
  z.object({ type: z.literal('exception'), exceptionDetails: z.object({ text: z.string() }) }),
]);

export class Firefox {
  readonly #program: Leashed;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #sent = 0;
  #context = '';

  private constructor(program: Leashed, profile: string, socket: WebSocket) {
    this.#program = program;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#hear(String(data)));
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Firefox has gone'));
    });
  }

  /** Starts the program at `path` with one empty tab; the caller closes it. */
  static async open(path: string): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), 'reelwire-firefox-'));
    const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'];
    const program = new Leashed(path, args, { HOME: profile });
    const socket = new WebSocket(`${await addressOf(program)}/session`);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('Firefox refuses the WebSocket')));
    });
    const firefox = new Firefox(program, profile, socket);
    await firefox.#send('session.new', { capabilities: {} });
    const { contexts } = Tree.parse(await firefox.#send('browsingContext.getTree', {}));
    firefox.#context = contexts[0]?.context ?? '';
    return firefox;
  }

  /** Resolves when the page and its scripts have loaded. */
  async visit(url: string): Promise<void> {
    await this.#send('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  /** The value of an expression, or of the promise it is, by way of JSON. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.#send('script.evaluate', {
      expression: `Promise.resolve(${expression}).then(JSON.stringify)`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    const evaluated = Evaluated.parse(answer);
    if (evaluated.type === 'exception') throw new Error(evaluated.exceptionDetails.text);
    return JSON.parse(evaluated.result.value);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#program.stop();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #send(method: string, params: object): Promise<unknown> {
    this.#sent += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#sent, answer);
    this.#socket.send(JSON.stringify({ id: this.#sent, method, params }));
    return answer.promise;
  }

  #hear(text: string): void {
    const message = Message.parse(JSON.parse(text));
    if (message.type === 'event') return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'success') waiting?.resolve(message.result);
    else waiting?.reject(new Error(`${message.error}: ${message.message}`));
  }
}

/** Firefox says on stderr where it listens. */
function addressOf({ process }: Leashed): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    if (!process.stderr) throw new Error('Firefox has no stderr');
    createInterface({ input: process.stderr }).on('line', (line) => {
      said.push(line);
      const address = /listening on (ws:\S+)/.exec(line)?.[1];
      if (address) resolve(address);
    });
    process.stdout?.resume();
    process.once('exit', (code) => reject(new Error(`Firefox ended with ${code}: ${said.join('\n')}`)));
  });
}
