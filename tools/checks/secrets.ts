/**
 * Watches the log of the product as it passes by during all tests: no key, token, signature or secret of a webhook may
 * ever stand in it. Keys and tokens are recognised by their form, whatever test has made them.
 */
const FORMS: readonly RegExp[] = [
  /\brw_[0-9a-f]{12}_[0-9a-f]{48}\b/,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/,
  /\bwhsec_[A-Za-z0-9+/]{16,}/,
  /[?&]token=[^\s"&]+/,
  /\bBearer [\w.~+/-]{8,}/i,
];

/** Only the lines that the Worker and the transcoders log: one JSON object each. */
const LOGGED = /\{"(msg|level)":/;

export class SecretWatch {
  readonly found: string[] = [];
  #lines = 0;

  /** How many lines of the log have passed by. */
  get lines(): number {
    return this.#lines;
  }

  look(line: string): void {
    if (!LOGGED.test(line)) return;
    this.#lines += 1;
    if (FORMS.some((form) => form.test(line))) this.found.push(line);
  }
}
