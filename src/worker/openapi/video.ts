/** What comes with a video: the fields of the form, which are the query of a bare body and the metadata of tus. */
import { z } from 'zod';
import { JobOptions, Key, Metadata } from '../../contract/job.ts';
import { WebhookUrl } from '../../contract/webhooks.ts';

const fields = {
  key: Key.describe('Your name for it; the name of the file if you give none.').optional(),
  webhook_url: WebhookUrl.describe('Is told what becomes of the job. Needs a key.').optional(),
};

export const VideoForm = z.strictObject({
  video: z.file().describe('The file, in a part that has a file name.'),
  ...fields,
  options: JobOptions.optional(),
  metadata: Metadata.optional(),
});

const asJson = (name: string) => ({ contentMediaType: 'application/json', contentSchema: refTo(name) });
const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` });

export const VideoQuery = z.strictObject({
  ...fields,
  options: z.string().meta(asJson('JobOptions')).optional(),
  metadata: z.string().meta(asJson('Metadata')).optional(),
});
