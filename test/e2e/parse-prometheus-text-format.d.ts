/** The package has no types of its own. What it answers is parsed where it is used. */
declare module 'parse-prometheus-text-format' {
  export default function parsePrometheusTextFormat(text: string): unknown;
}
