/** Which jobs are shown: those in a state, those whose name begins so. The search waits until one has stopped typing. */
import { useEffect, useState } from 'react';
import type { Status } from '../../../client/index.ts';
import { list } from '../state/list.ts';
import { useStore } from '../state/store.ts';
import { STATUS_NAMES } from '../words.ts';
import { Icon } from './icon.tsx';
import './job-filter.css';

const STATES: (Status | null)[] = [null, 'processing', 'pending', 'completed', 'failed', 'cancelled'];
const TYPING_MS = 250;

export function JobFilter() {
  const { filter } = useStore(list.state);
  const [typed, setTyped] = useState(filter.q);
  useEffect(() => {
    const timer = setTimeout(() => {
      const { filter: now } = list.state.get();
      if (typed !== now.q) list.set({ ...now, q: typed });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div className="filter">
      <fieldset className="filter__states">
        <legend className="unseen">Show</legend>
        {STATES.map((status) => (
          <label key={status} className="filter__state">
            <input
              type="radio"
              name="status"
              className="unseen"
              checked={filter.status === status}
              onChange={() => list.set({ ...filter, status })}
            />
            <span>{status ? STATUS_NAMES[status] : 'All'}</span>
          </label>
        ))}
      </fieldset>
      <label className="filter__search">
        <span className="unseen">Search by the beginning of the name</span>
        <Icon name="search" />
        <input
          type="search"
          className="field"
          placeholder="Name begins with"
          maxLength={255}
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
      </label>
    </div>
  );
}
