/** What the command says while it works: lines for people, or one JSON object a line. */
import type { Refusal } from '../main.ts';
import type { Settings } from './transcoders.ts';

type State = 'there' | 'made' | 'done' | 'deployed' | 'seen';

const WIDTH = 10;

export class Report {
  readonly #json: boolean;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** `command`: null when it is none of wrangler's. */
  planned(what: string, command: string | null, when: string): void {
    const does = command === null ? '' : `\n${' '.repeat(WIDTH)}${command}`;
    this.#say({ event: 'plan', what, command, when }, `${'plan'.padEnd(WIDTH)}${what} (${when})${does}`);
  }

  note({ message }: Refusal): void {
    this.#say({ event: 'note', message }, `\n${message}`);
  }

  done(what: string, state: State): void {
    this.#say({ event: 'step', what, state }, `${state.padEnd(WIDTH)}${what}`);
  }

  /** Before the Worker is uploaded: what is drawn now is shown nowhere else. */
  settings(settings: Settings): void {
    const lines = Object.entries(settings).map(([name, value]) => `  ${name}=${value ?? ''}`);
    const text = [
      '',
      'For transcoders (docs/deploy.md); what is empty, you know. It is not shown again:',
      ...lines,
      '',
    ];
    this.#say({ event: 'transcoders', settings }, text.join('\n'));
  }

  summary(facts: { version: string; address: string; env: string; hasKey: boolean }): void {
    const { version, address, env, hasKey } = facts;
    const key = `npm run keys -- create --name NAME --role admin --remote --env ${env}`;
    const next = hasKey ? '' : `\nThe first key: ${key}`;
    this.#say({ event: 'summary', version, address, env }, `\nReelwire ${version} is deployed at ${address}${next}`);
  }

  #say(event: object, line: string): void {
    console.log(this.#json ? JSON.stringify(event) : line);
  }
}
