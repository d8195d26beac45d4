/** What can be done to a job: cancel it while it goes on, retry it after it has failed, delete it at any time. */
import { useState } from 'react';
import { useLocation } from 'wouter';
import { client } from '../state/client.ts';
import { jobs } from '../state/jobs.ts';
import { list } from '../state/list.ts';
import { isActive, type LiveJob } from '../state/live-job.ts';
import { sentenceOf } from '../state/reach.ts';
import { say } from '../state/say.ts';
import { mayDelete, maySubmit, session } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Confirm } from './confirm.tsx';
import { Icon } from './icon.tsx';
import './job-actions.css';

export function JobActions({ job: { id, key, status, error } }: { job: LiveJob }) {
  const who = useStore(session);
  const [, go] = useLocation();
  const [asks, setAsks] = useState<'cancel' | 'delete' | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const retry = async () => {
    setProblem(null);
    try {
      jobs.changed(id, (await client.jobs.retry(id)).status);
      say(`${key} is tried again`);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const cancel = async () => {
    jobs.changed(id, (await client.jobs.cancel(id)).status);
  };
  const remove = async () => {
    await client.jobs.delete(id);
    list.remove(id);
    jobs.removed(id);
    say(`${key} is deleted`);
    go('/');
  };
  const mayRetry = status === 'failed' || status === 'cancelled';
  return (
    <div className="actions">
      {maySubmit(who) && isActive({ status }) && (
        <button type="button" className="button" onClick={() => setAsks('cancel')}>
          Cancel
        </button>
      )}
      {maySubmit(who) && mayRetry && (
        <button type="button" className={error?.retryable === false ? 'button' : 'button button--main'} onClick={retry}>
          <Icon name="retry" />
          Retry
        </button>
      )}
      {mayDelete(who) && (
        <button type="button" className="button button--danger" onClick={() => setAsks('delete')}>
          Delete
        </button>
      )}
      {problem && (
        <p role="alert" className="small">
          {problem}
        </p>
      )}
      {asks === 'cancel' && (
        <Confirm
          title="Cancel this job?"
          text="The work stops at once. What is finished is kept, and Retry goes on from it."
          action="Cancel the job"
          onConfirm={cancel}
          onClose={() => setAsks(null)}
        />
      )}
      {asks === 'delete' && (
        <Confirm
          title="Delete this video?"
          text={`${key}, its source and all its streams are removed for everybody. This cannot be undone.`}
          action="Delete the video"
          onConfirm={remove}
          onClose={() => setAsks(null)}
        />
      )}
    </div>
  );
}
