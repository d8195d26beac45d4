/** Light or dark: as the system has it, unless somebody has chosen. The choice is kept in this browser. */
import { Store } from './store.ts';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'reelwire-theme';

function kept(): Theme {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
}

export const theme = new Store<Theme>(kept());

export function chooseTheme(chosen: Theme): void {
  theme.set(chosen);
  if (chosen === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, chosen);
  showTheme();
}

export function showTheme(): void {
  const chosen = theme.get();
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
