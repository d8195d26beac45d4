/** Where access is closed: a key opens it. The browser keeps a cookie that no script can read, not the key. */
import { type FormEvent, useState } from 'react';
import { Heading } from '../parts/heading.tsx';
import { useTitle } from '../parts/title.ts';
import { sentenceOf } from '../state/reach.ts';
import { signIn } from '../state/session.ts';
import './sign-in.css';

export function SignIn() {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  useTitle('Sign in');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(key.trim());
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <main id="main" className="sign-in">
      <Heading className="sign-in__title">Sign in</Heading>
      <p className="soft">This server is closed. A key opens it; whoever looks after the server can give you one.</p>
      <form className="sign-in__form" onSubmit={submit}>
        <label htmlFor="key">Key</label>
        <input
          id="key"
          className="field"
          type="password"
          autoComplete="current-password"
          placeholder="rw_…"
          required
          aria-describedby={problem ? 'key-problem' : undefined}
          aria-invalid={problem !== null}
          value={key}
          onChange={({ target }) => setKey(target.value)}
        />
        {problem && (
          <p id="key-problem" role="alert" className="notice notice--danger small">
            {problem}
          </p>
        )}
        <button type="submit" className="button button--main" disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
