/** The queue by which sources are fetched from URLs. */
import { z } from 'zod';
import { JobId } from './ids.ts';

/** Its name, as in wrangler.toml. */
export const FETCH_QUEUE = 'reelwire-fetch';

/** A message of it: the source of this job may be waited for. Whether it is, the job decides. */
export const FetchCall = z.object({ job_id: JobId });
export type FetchCall = z.infer<typeof FetchCall>;
