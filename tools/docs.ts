/** `npm run docs`: writes the reference pages anew from the schemas and tables they describe. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { referencePages } from './docs/pages.ts';
import { main } from './main.ts';
import { ROOT } from './paths.mjs';

await main(async () => {
  for (const { path, text } of referencePages()) {
    await writeFile(join(ROOT, path), text);
    console.log(`Written: ${path}`);
  }
  return 0;
});
