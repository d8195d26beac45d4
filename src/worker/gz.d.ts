/** A compressed file is imported as its bytes (wrangler.toml, `rules`). */
declare module '*.gz' {
  const bytes: ArrayBuffer;
  export default bytes;
}
