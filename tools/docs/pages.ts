/** The pages that are made, not written. A test compares them with what is in the repository. */
import { configuration } from './configuration.ts';
import { errors } from './errors.ts';
import { events } from './events.ts';

export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export const referencePages = (): Page[] => [
  { path: 'docs/reference/configuration.md', text: configuration() },
  { path: 'docs/reference/errors.md', text: errors() },
  { path: 'docs/reference/events.md', text: events() },
];
