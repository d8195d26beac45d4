/** The uploads of this browser: how far, how fast, how long still; to pause, to go on with, to cancel. */
import { useState } from 'react';
import { Link } from 'wouter';
import { useStore } from '../state/store.ts';
import type { Upload, UploadView } from '../state/upload.ts';
import { uploads } from '../state/uploads.ts';
import { bytes, left } from '../words.ts';
import { Bar } from './bar.tsx';
import { Confirm } from './confirm.tsx';
import { Icon } from './icon.tsx';
import './upload-list.css';

export function UploadList() {
  const all = useStore(uploads.all);
  if (all.length === 0) return null;
  return (
    <section aria-labelledby="uploads">
      <h2 id="uploads" className="unseen">
        Uploads
      </h2>
      <ul className="uploads">
        {all.map((upload) => (
          <UploadRow key={upload.view.get().id} upload={upload} />
        ))}
      </ul>
    </section>
  );
}

export function UploadRow({ upload }: { upload: Upload }) {
  const view = useStore(upload.view);
  const [isAsking, setAsking] = useState(false);
  const { name, size, sent, state, jobId, problem } = view;
  const percent = size > 0 ? (100 * sent) / size : 0;
  return (
    <li className="upload">
      <div className="upload__head">
        {jobId ? <Link href={`/jobs/${jobId}`}>{name}</Link> : <span>{name}</span>}
        <span className="small soft">{state === 'refused' ? '' : `${Math.floor(percent)} %`}</span>
      </div>
      <Bar label={`Upload of ${name}`} percent={percent} tone={state === 'sending' ? 'going' : 'still'} />
      <div className="upload__foot">
        <p className="small soft" role={problem ? 'alert' : undefined}>
          {problem ?? progressOf(view)}
        </p>
        <div className="upload__actions">
          {state === 'sending' && <Act icon="pause" label="Pause" name={name} act={() => upload.pause()} />}
          {state === 'paused' && <Act icon="play" label="Resume" name={name} act={() => upload.resume()} />}
          {state === 'refused' ? (
            <Act icon="check" label="Dismiss" name={name} act={() => uploads.drop(upload)} />
          ) : (
            <Act icon="cancel" label="Cancel" name={name} act={() => setAsking(true)} />
          )}
        </div>
      </div>
      {isAsking && (
        <Confirm
          title="Cancel this upload?"
          text={`What has arrived of ${name} is removed.`}
          action="Cancel the upload"
          onConfirm={() => uploads.cancel(upload)}
          onClose={() => setAsking(false)}
        />
      )}
    </li>
  );
}

function progressOf({ state, sent, size, speed }: UploadView): string {
  const amount = `${bytes(sent)} of ${bytes(size)}`;
  if (state === 'paused') return `Paused at ${amount}`;
  if (speed === null || speed === 0) return amount;
  return `${amount} · ${bytes(speed)}/s · ${left((size - sent) / speed)}`;
}

function Act(props: { icon: 'pause' | 'play' | 'cancel' | 'check'; label: string; name: string; act: () => void }) {
  const { icon, label, name, act } = props;
  return (
    <button type="button" className="button button--quiet button--small" onClick={act}>
      <Icon name={icon} />
      {label}
      <span className="unseen"> {name}</span>
    </button>
  );
}
