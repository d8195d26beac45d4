/** Starts the app: who is here is asked first, and what an earlier page was uploading goes on. */
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { poll } from './state/poll.ts';
import { reaching } from './state/reach.ts';
import { askSession, session } from './state/session.ts';
import { showTheme } from './state/theme.ts';
import { uploads } from './state/uploads.ts';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';

showTheme();
const root = document.getElementById('app');
if (root) createRoot(root).render(<App />);

let isRestored = false;
session.subscribe(() => {
  if (isRestored || session.get().role === null) return;
  isRestored = true;
  void uploads.restore();
});

/** Asked until the server has said it. */
const { stop } = poll(async () => {
  await reaching(askSession()).catch(() => undefined);
  if (session.get().mode !== 'unknown') stop();
});
