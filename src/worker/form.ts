/**
 * Reads `multipart/form-data` as a stream: the file goes on as it comes, fields may stand before or after it. The
 * first thing that is wrong, here or in whoever takes the file, ends the reading and with it the file's stream.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { ProblemError } from './problems.ts';

const FILE = 'video';
const LIMITS = { fieldNameSize: 100, fieldSize: 4096, fields: 10, files: 2, parts: 12, headerPairs: 20 };

export interface Form {
  fields: Map<string, string>;
  filename: string;
  contentType: string;
}

/** Resolves when the form is whole and `store` has taken the file. `known` are the fields that may come with it. */
export async function readForm(
  request: Request,
  known: readonly string[],
  store: (file: AsyncIterable<Uint8Array>) => Promise<unknown>,
): Promise<Form> {
  const form: Form = { fields: new Map(), filename: '', contentType: '' };
  const files: { stream: Readable; stored: Promise<unknown> }[] = [];
  const problems: unknown[] = [];
  /** Errors of the file's stream itself: the body was cut, or we stopped reading. */
  const broken = new Set<unknown>();
  const ending = new AbortController();
  const end = (problem: unknown): void => {
    problems.push(problem);
    ending.abort();
  };

  const parser = newParser(request);
  parser.on('field', (name, value, nameIsCut, valueIsCut) => {
    if (name === FILE) end(new ProblemError('missing_video', 'video must be a file: give it a file name.'));
    else if (!known.includes(name) || nameIsCut) end(unknownField(name, [FILE, ...known]));
    else if (form.fields.has(name)) end(duplicateField(name));
    else if (valueIsCut) end(new ProblemError('invalid_field', `${name} is too long.`));
    else form.fields.set(name, value);
  });
  parser.on('file', (name, stream, filename, _encoding, contentType) => {
    stream.on('error', (error) => {
      broken.add(error);
      ending.abort();
    });
    if (name !== FILE) return end(unknownField(name, [FILE, ...known]));
    if (files.length > 0) return end(duplicateField(name));
    const stored = store(stream);
    stored.catch(end);
    files.push({ stream, stored });
    Object.assign(form, { filename: filename ?? '', contentType: contentType ?? '' });
  });
  for (const event of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
    parser.on(event, () => end(new ProblemError('invalid_request', 'The form has too many parts.')));
  }

  try {
    await pipeline(Readable.from(request.body ?? []), parser, { signal: ending.signal });
    await Promise.all(files.map(({ stored }) => stored));
  } catch {
    for (const { stream } of files) stream.destroy(incomplete());
    await Promise.allSettled(files.map(({ stored }) => stored));
    throw problems.find((problem) => !broken.has(problem)) ?? incomplete();
  }
  if (files.length === 0) throw new ProblemError('missing_video', 'Send the file as the form field video.');
  return form;
}

function newParser(request: Request): BusboyInstance {
  try {
    return new Busboy({ headers: { 'content-type': request.headers.get('Content-Type') ?? '' }, limits: LIMITS });
  } catch {
    throw new ProblemError('invalid_request', 'The Content-Type of a form must name its boundary.');
  }
}

const incomplete = (): ProblemError =>
  new ProblemError('body_incomplete', 'The body ended before the form did. Send it again.');

export const unknownField = (name: string, known: readonly string[]): ProblemError =>
  new ProblemError(
    'unknown_field',
    `There is no field ${JSON.stringify(name.slice(0, 50))}; known: ${known.join(', ')}.`,
  );

export const duplicateField = (name: string): ProblemError =>
  new ProblemError('duplicate_field', `${name} may be sent once.`);
