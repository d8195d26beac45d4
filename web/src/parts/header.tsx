/** What is above every page: the name, which leads home; light or dark; and the way out for who has signed in. */
import { Link } from 'wouter';
import { reaching } from '../state/reach.ts';
import { session, signOut } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { chooseTheme, type Theme, theme } from '../state/theme.ts';
import './header.css';

const THEMES: [Theme, string][] = [
  ['system', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

export function Header() {
  const { mode, name } = useStore(session);
  const chosen = useStore(theme);
  return (
    <header className="header">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Link href="/" className="header__name">
        <Mark />
        Reelwire
      </Link>
      <div className="header__side">
        <fieldset className="themes">
          <legend className="unseen">Colours</legend>
          {THEMES.map(([value, label]) => (
            <label key={value} className="themes__one">
              <input
                type="radio"
                name="theme"
                className="unseen"
                checked={chosen === value}
                onChange={() => chooseTheme(value)}
              />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
        {mode === 'keys' && name !== null && (
          <button type="button" className="button button--quiet button--small" onClick={() => reaching(signOut())}>
            Sign out<span className="unseen"> {name}</span>
          </button>
        )}
      </div>
    </header>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 26 26" width="26" height="26" aria-hidden="true">
      <path
        d="M2 18c5 0 4.5-11 9-11s4 11 9 11c2.4 0 3.4-2.4 4-5"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="3"
        strokeLinecap="round"
      />
    </svg>
  );
}
