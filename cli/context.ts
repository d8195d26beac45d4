/** What every command is given. */
import type { Reelwire } from '../client/index.ts';
import type { Settings } from './settings.ts';

export interface Context extends Settings {
  client: Reelwire;
  /** Aborts when the command is to end; its reason carries the exit code. */
  stop: AbortSignal;
}

/** An address on the server, of one of its paths. */
export const addressOf = ({ url }: Pick<Settings, 'url'>, path: string): string => url + path;
