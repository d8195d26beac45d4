/** One thing that `doctor` has looked at. */
export interface Check {
  check: string;
  /** `warn`: it works, but may not do for everything. `skip`: could not be looked at. */
  status: 'ok' | 'warn' | 'fail' | 'skip';
  found: string;
  /** How to mend it; null when there is nothing to mend. */
  mend: string | null;
}

export const ok = (check: string, found: string): Check => ({ check, status: 'ok', found, mend: null });
export const warn = (check: string, found: string, mend: string): Check => ({ check, status: 'warn', found, mend });
export const fail = (check: string, found: string, mend: string): Check => ({ check, status: 'fail', found, mend });
export const skip = (check: string, found: string): Check => ({ check, status: 'skip', found, mend: null });
