/**
 * `POST /jobs`: a job whose video is fetched from a URL. The URL is checked before it is accepted, and again before it is
 * fetched; the job is made last, in one step, and sees to the rest itself.
 */
import type { Context } from 'hono';
import { type Accepted, JobRequest } from '../contract/api.ts';
import { settings } from '../durable/env.ts';
import { nameOf } from './access/principal.ts';
import type { App } from './app.ts';
import { fallbackKey } from './describe.ts';
import { onceForKey } from './once.ts';
import { parse } from './problems.ts';
import { accepted } from './process.ts';
import { json } from './queue-api.ts';
import { checkedUrl, webhookOfJobs } from './webhooks.ts';

export function submitUrl(c: Context<App>): Promise<Response> {
  return onceForKey(c, async (job_id, exists) => {
    const webhook = exists ? null : await submit(c, job_id);
    return { status: 202, body: accepted(c, job_id, webhook) };
  });
}

async function submit(c: Context<App>, job_id: string): Promise<NonNullable<Accepted['webhook']> | null> {
  const { source, key, webhook_url, options, metadata } = parse(JobRequest, await json(c));
  const url = await checkedUrl(c, source.url);
  const webhookUrl = webhook_url === undefined ? null : await checkedUrl(c, webhook_url);
  const webhook = webhookUrl === null ? null : await webhookOfJobs(c, webhookUrl);
  const job = {
    ...{ job_id, key: key ?? fallbackKey(fileName(url)), options, metadata, by: nameOf(c.get('principal')) },
    ...{ bucket: settings(c.env).OUTPUT_BUCKET_NAME, source: null, url },
  };
  await c.env.JOB.getByName(job_id).create(job, webhook?.id);
  return webhook;
}

/** The last part of the path, as people would write it. */
function fileName(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
