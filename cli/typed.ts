/** A command as people can type it where they are: behind `npx` if npx or npm has started this one, else by its name. */
export const typed = (...words: string[]): string =>
  [process.env.npm_execpath ? 'npx reelwire' : 'reelwire', ...words].join(' ');
