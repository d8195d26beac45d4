/** R2 throws plain errors that end with a number in brackets; one predicate per number we act on. */

/** The multipart upload was completed, aborted, or never begun (error 10024). */
export const isNoSuchUpload = (error: unknown): boolean => hasNumber(error, 10024);

/** The body does not match the digest given with it (error 10037). */
export const isBadDigest = (error: unknown): boolean => hasNumber(error, 10037);

const hasNumber = (error: unknown, number: number): boolean =>
  error instanceof Error && error.message.includes(`(${number})`);
