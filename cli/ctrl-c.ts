/**
 * What Ctrl-C means while jobs are watched on a terminal: the jobs run elsewhere, so it asks whether to leave them alone
 * or to cancel them. While it asks, keys come one by one (the terminal is in raw mode), so a second Ctrl-C is a key too
 * and ends everything at once; a SIGINT that comes meanwhile is the first one again, repeated by npm.
 */
import { createInterface, type Interface } from 'node:readline';
import { takeInterrupts } from '../tools/main.ts';

export interface Answers {
  detach(): void;
  cancel(): void;
}

const QUESTION = 'd: leave, jobs go on without you   c: cancel   any other key: stay';

/** Until the returned function is called. Does nothing where there is no terminal to ask at. */
export function askAtCtrlC(say: (text: string) => void, { detach, cancel }: Answers): () => void {
  const input = process.stdin;
  if (!input.isTTY || !process.stdout.isTTY) return () => undefined;
  let asking: Interface | null = null;
  let isCancelling = false;

  const onKey = (_: string, { name, ctrl }: { name?: string; ctrl?: boolean }) => {
    if (ctrl) return;
    close();
    if (name === 'd') detach();
    else if (name === 'c') {
      isCancelling = true;
      say('Cancelling ...');
      cancel();
    } else say('Going on.');
  };

  function close(): void {
    input.off('keypress', onKey);
    const open = asking;
    asking = null;
    open?.close();
  }

  const giveBack = takeInterrupts(() => {
    if (asking) return;
    if (isCancelling) {
      detach();
      return;
    }
    asking = createInterface({ input, terminal: true });
    asking.on('SIGINT', () => {
      close();
      detach();
    });
    asking.on('close', close);
    input.on('keypress', onKey);
    say(QUESTION);
  });

  return () => {
    close();
    giveBack();
  };
}
