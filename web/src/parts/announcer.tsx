/** Tells screen readers what happens without being asked. */
import { said } from '../state/say.ts';
import { useStore } from '../state/store.ts';

export function Announcer() {
  return (
    <div aria-live="polite" className="unseen">
      {useStore(said)}
    </div>
  );
}
