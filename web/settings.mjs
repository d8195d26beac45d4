/** How Vite makes the pages: two of them, with nothing inlined, because the pages' policy allows only files of ours. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';

const SOURCE = join(import.meta.dirname, 'src');

/** @type {import('vite').InlineConfig} */
export const settings = {
  root: SOURCE,
  configFile: false,
  logLevel: 'warn',
  plugins: [react()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    emptyOutDir: true,
    rolldownOptions: { input: [join(SOURCE, 'index.html'), join(SOURCE, 'watch.html')] },
  },
};
