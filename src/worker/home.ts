/** The front door: what can be done here, each as a line to paste. */
import type { Context } from 'hono';
import type { App } from './app.ts';
import { version } from './version.ts';

export function home(c: Context<App>): Response {
  const at = new URL(c.req.url).origin;
  return c.text(`Reelwire ${version}: upload a video, watch it become a stream.

Upload a file (a form, or the bytes themselves):
  curl -F video=@clip.mp4 -F key=my-clip ${at}/process
  curl --data-binary @clip.mp4 -H 'Content-Type: video/mp4' '${at}/process?key=my-clip'
  curl -F video=@clip.mp4 -F 'options={"quality":"high","ladder":[720,360],"mp4":true}' ${at}/process

Have it fetched from where it is:
  curl -d '{"source":{"url":"https://example.com/clip.mp4"},"key":"my-clip"}' ${at}/jobs

Upload it so that a broken connection costs nothing (tus 1.0.0, any client of it; the upload's id is the job's id):
  ${at}/uploads

Watch the job live (server-sent events; -H 'Last-Event-ID: 7' resumes):
  curl -N ${at}/jobs/JOB_ID/stream
  curl -N '${at}/streams?jobs=JOB_ID,JOB_ID'

The job, and its log, as JSON:
  curl ${at}/jobs/JOB_ID
  curl '${at}/jobs/JOB_ID/events?after=0&limit=100'

All jobs, newest first; those in a state, those whose key begins so (next_cursor leads to the next page):
  curl '${at}/jobs?limit=20'
  curl '${at}/jobs?status=failed&q=my-'

Cancel it; try again what was cancelled or has failed; delete it with all it has:
  curl -X POST ${at}/jobs/JOB_ID/cancel
  curl -X POST ${at}/jobs/JOB_ID/retry
  curl -X DELETE ${at}/jobs/JOB_ID

Play it (HLS as soon as the stream says "playable", DASH when it is complete):
  ${at}/jobs/JOB_ID/outputs/master.m3u8
  ${at}/jobs/JOB_ID/outputs/manifest.mpd

Let somebody watch or play one job, or send one video, without a key (docs/access.md):
  curl -d '{"scopes":["watch","play"]}' ${at}/jobs/JOB_ID/tokens
  curl -d '{"max_bytes":1000000000}' ${at}/uploads/tokens
  ${at}/play/TOKEN/master.m3u8

Be told of jobs at an address of yours, of one or of all (docs/webhooks.md):
  curl -F video=@clip.mp4 -F webhook_url=https://example.com/hook ${at}/process
  curl -d '{"url":"https://example.com/hook"}' ${at}/webhooks
  curl ${at}/webhooks
  curl -X POST ${at}/webhooks/WEBHOOK_ID/test
  curl ${at}/webhooks/WEBHOOK_ID/deliveries

Keys (in production each line above needs -H 'Authorization: Bearer KEY'):
  curl ${at}/keys
  curl -d '{"name":"ci-bot","role":"submit"}' ${at}/keys
  curl -X DELETE ${at}/keys/KEY_ID

Whether all is well, how many transcoders are there, and numbers for Prometheus (docs/operations.md):
  curl ${at}/health
  curl ${at}/ready
  curl ${at}/metrics

All of this as a reference to read, and for programs (OpenAPI 3.1):
  ${at}/docs
  curl ${at}/openapi.json
`);
}
