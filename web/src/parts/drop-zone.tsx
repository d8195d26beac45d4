/** Where videos come in: dropped anywhere on the page, or chosen. Several at once are several jobs. */
import { type ChangeEvent, useEffect, useRef, useState } from 'react';
import { say } from '../state/say.ts';
import { uploads } from '../state/uploads.ts';
import { Icon } from './icon.tsx';
import './drop-zone.css';

function take(files: FileList | null): void {
  if (!files || files.length === 0) return;
  uploads.start(files);
  say(files.length === 1 ? `Uploading ${files[0]?.name}` : `Uploading ${files.length} files`);
}

const bringsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

export function DropZone() {
  const input = useRef<HTMLInputElement>(null);
  const isOver = useDrop();
  const choose = ({ target }: ChangeEvent<HTMLInputElement>) => {
    take(target.files);
    target.value = '';
  };
  return (
    <div className={isOver ? 'drop drop--over' : 'drop'}>
      <p className="drop__text">{isOver ? 'Let go to upload' : 'Drop videos here'}</p>
      <button type="button" className="button button--main" onClick={() => input.current?.click()}>
        <Icon name="upload" />
        Choose files
      </button>
      <input
        ref={input}
        type="file"
        accept="video/*,.mkv,.ts,.mts,.flv,.avi"
        multiple
        hidden
        data-testid="files"
        onChange={choose}
      />
      <p className="small soft">An upload that breaks off goes on where it was, even after a reload.</p>
    </div>
  );
}

/** Whether files are being held over the page. */
function useDrop(): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = new AbortController();
    const listen = (name: 'dragover' | 'dragleave' | 'drop', act: (event: DragEvent) => void) =>
      window.addEventListener(name, act, { signal: over.signal });
    listen('dragover', (event) => {
      if (!bringsFiles(event)) return;
      event.preventDefault();
      setOver(true);
    });
    listen('dragleave', (event) => {
      if (event.relatedTarget === null) setOver(false);
    });
    listen('drop', (event) => {
      if (!bringsFiles(event)) return;
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer?.files ?? null);
    });
    return () => over.abort();
  }, []);
  return isOver;
}
