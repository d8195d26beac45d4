/** What keys do while the focus is in the player. A key that the focused control needs itself is left to it. */
import type { KeyboardEvent } from 'react';

export interface Acts {
  toggle(): void;
  /** By so many seconds. */
  skip(seconds: number): void;
  /** To this share of the video, 0 to 1. */
  jump(share: number): void;
  louder(by: number): void;
  mute(): void;
  full(): void;
}

export function onKey(event: KeyboardEvent, acts: Acts): void {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof HTMLElement)) return;
  const isSeek = target.matches('.seek__input');
  if (target.matches('select, .player__volume')) return;
  if (key === ' ' && target.matches('button')) return;
  const act = actOf(key, acts, isSeek);
  if (!act) return;
  event.preventDefault();
  act();
}

function actOf(key: string, acts: Acts, isSeek: boolean): (() => void) | null {
  if (/^\d$/.test(key)) return () => acts.jump(Number(key) / 10);
  switch (key) {
    case ' ':
    case 'k':
      return acts.toggle;
    case 'ArrowLeft':
      return () => acts.skip(-5);
    case 'ArrowRight':
      return () => acts.skip(5);
    case 'ArrowDown':
      return () => (isSeek ? acts.skip(-5) : acts.louder(-0.1));
    case 'ArrowUp':
      return () => (isSeek ? acts.skip(5) : acts.louder(0.1));
    case 'j':
    case 'PageDown':
      return () => acts.skip(-10);
    case 'l':
    case 'PageUp':
      return () => acts.skip(10);
    case 'Home':
      return () => acts.jump(0);
    case 'End':
      return () => acts.jump(1);
    case 'm':
      return acts.mute;
    case 'f':
      return acts.full;
    default:
      return null;
  }
}
