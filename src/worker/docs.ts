/// <reference path="./gz.d.ts" />
/**
 * `/docs`: the OpenAPI document as a page to read and to try. Its one script, RapiDoc, comes from here, compressed as it
 * came from npm, and nothing is fetched from elsewhere. What it is made of is in that file, so the packages it names are
 * not installed (package.json, overrides). It writes styles into the page, so styles may be inline; scripts may not.
 */
import type { Context } from 'hono';
import script from 'rapidoc/dist/rapidoc-min.js.gz';
import type { App } from './app.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Reelwire API</title>
<script type="module" src="/docs/rapidoc.js"></script>
</head>
<body>
<rapi-doc spec-url="/openapi.json" render-style="read" load-fonts="false" regular-font="system-ui, sans-serif"
  mono-font="ui-monospace, monospace" show-header="false" primary-color="#2563eb" schema-style="table"
  allow-server-selection="false" allow-spec-url-load="false" allow-spec-file-load="false"></rapi-doc>
<noscript>This page needs scripts. The same is in <a href="/openapi.json">/openapi.json</a>.</noscript>
</body>
</html>
`;

export const docs = (c: Context<App>): Response => c.html(PAGE, 200, { 'Content-Security-Policy': POLICY });

export function docsScript(): Response {
  const headers = {
    'Content-Type': 'text/javascript; charset=utf-8',
    'Content-Encoding': 'gzip',
    'Cache-Control': 'public, max-age=86400',
  };
  return new Response(script, { headers, encodeBody: 'manual' });
}
