import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Watchdog } from '../../transcoder-node/media/watchdog.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the watchdog', () => {
  it('reports a stall when nothing advances, not before its time', () => {
    const dog = new Watchdog(30_000);
    vi.advanceTimersByTime(29_999);
    expect(dog.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(dog.signal.reason).toMatchObject({ code: 'stalled', retryable: true });
  });

  it('begins anew with every advance, and rests when it is stopped', () => {
    const dog = new Watchdog(30_000);
    for (let n = 0; n < 5; n += 1) {
      vi.advanceTimersByTime(29_000);
      dog.advance();
    }
    dog.stop();
    vi.advanceTimersByTime(60_000);
    expect(dog.signal.aborted).toBe(false);
  });

  it('lets the pair behind wait for the pair in front, and only so long', () => {
    const behind = new Watchdog(30_000);
    const front = new Watchdog(30_000, behind);
    for (let n = 0; n < 5; n += 1) {
      vi.advanceTimersByTime(29_000);
      front.advance();
    }
    expect(behind.signal.aborted).toBe(false);
    front.stop();
    vi.advanceTimersByTime(30_000);
    expect(behind.signal.aborted).toBe(true);
    expect(front.signal.aborted).toBe(false);
  });
});
