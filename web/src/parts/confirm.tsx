/** Asks before something is done that cannot be undone. The browser keeps the focus in it, and gives it back. */
import { useEffect, useRef, useState } from 'react';
import { sentenceOf } from '../state/reach.ts';
import './confirm.css';

interface Props {
  title: string;
  text: string;
  action: string;
  /** May take its time; what it throws is shown. */
  onConfirm: () => Promise<void>;
  onClose: () => void;
}

export function Confirm({ title, text, action, onConfirm, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      dialog.current?.close();
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} className="confirm" aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{title}</h2>
      <p className="soft">{text}</p>
      {problem && (
        <p role="alert" className="notice notice--danger">
          {problem}
        </p>
      )}
      <div className="confirm__actions">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button type="button" className="button button--destroy" disabled={isBusy} onClick={confirm}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
