/**
 * What codes and events mean, and what to do about them, in words for people: one table each, complete by its type. The
 * reference is generated from them.
 */
import type { VisibleEntry, WarningCode } from './entries.ts';
import type { JobErrorCode, ProblemCode } from './errors.ts';

/** What the caller of a request can do about its answer. The `detail` of an answer is more exact. */
export const PROBLEM_ADVICE: Record<ProblemCode, string> = {
  invalid_job_id: 'Use the `job_id` that the upload was answered with.',
  invalid_request: 'Read `detail`: it names what is wrong. Correct it; repeating the same request does not help.',
  invalid_field: 'Correct the field that `detail` names.',
  unknown_field: 'Leave the field out, or correct its name; `detail` lists the known ones.',
  duplicate_field: 'Send the field once.',
  missing_video: 'Send the file as the form field `video`: `curl -F video=@clip.mp4`.',
  empty_file: 'Check the file on the disk; it has no bytes.',
  body_incomplete: 'The connection broke. Send it again, or use `/uploads`, which goes on where it was.',
  digest_mismatch: 'Send the bytes again; they changed on the way. Only transcoders meet this.',
  invalid_url: 'Send an absolute http or https address without user name and password.',
  url_refused:
    'Use an address on the public Internet. For development: `ALLOW_PRIVATE_URLS=1` in `.dev.vars`, and a restart.',
  url_unresolved: 'Check the spelling of the host name.',
  too_many_redirects: 'Send the address at which the redirects end.',
  checksum_mismatch: 'Send this piece again; nothing of it was kept.',
  unauthorized: 'Send a valid key or token as `Authorization: Bearer ...`. It may have expired or been revoked.',
  forbidden: 'Ask with a key of a higher role, or send the request from a page of this very server.',
  access_closed:
    'The operator has to set the secret that `detail` names. On your own machine ask for `localhost`, not for another name.',
  job_not_found:
    'Check the id. The job may have been deleted, or be over its retention; a token opens its own job only.',
  webhook_not_found: 'Check the id with `GET /webhooks`.',
  delivery_not_found: 'Check the id with `GET /webhooks/:id/deliveries`.',
  key_not_found: 'Check the id with `GET /keys`.',
  upload_not_found: 'Begin the upload anew, or show the key or token that began it.',
  not_found: 'Check the address: `GET /` lists the routes. An output may not be there yet.',
  method_not_allowed: 'Use a method that the header `Allow` names.',
  invalid_state: 'Read the state with `GET /jobs/:id`: only a running job can be cancelled, only an ended one retried.',
  webhook_disabled: 'Enable the endpoint first: `POST /webhooks/:id/enable`.',
  no_source: 'Upload the video again.',
  in_progress: 'Wait for the seconds in `Retry-After`, then repeat the request: it gets the answer of the first.',
  offset_conflict: 'Ask where the upload is (`HEAD`), and go on there. Clients of tus do it by themselves.',
  lease_refused: 'Nothing: another transcoder has the task, or the job has ended. Only transcoders meet this.',
  lease_lost: 'Stop the work: the task was given to another. Only transcoders meet this.',
  rendition_incomplete: 'Commit the missing segments first. Only transcoders meet this.',
  outputs_missing: 'Store the objects that `detail` names, then finish again. Only transcoders meet this.',
  object_exists: 'Nothing: what is stored stays. Only transcoders meet this.',
  token_used: 'Ask for another upload token: one brings one video.',
  job_cancelled: 'Retry the job, or upload the video again.',
  job_failed: "Read the job's `error`, then retry the job or upload another file.",
  upload_gone: 'Begin the upload anew: its time was over, or its job was cancelled or deleted.',
  length_required: 'Send `Content-Length`, or a form: `curl -F video=@-` streams what has no known length.',
  tus_version: 'Send `Tus-Resumable: 1.0.0`.',
  too_large: 'Send less. The operator can raise `MAX_UPLOAD_BYTES`; an upload token has a limit of its own.',
  unsupported_media_type: 'Send a form, or the bytes as `video/*` or `application/octet-stream`.',
  range_not_satisfiable: 'Ask for one range within the size that `Content-Range` tells.',
  rate_limited:
    'Wait for the seconds in `Retry-After`. To follow jobs use the stream instead of asking again and again.',
  too_many_watchers: 'Wait for the seconds in `Retry-After`. The operator can raise `MAX_WATCHERS_PER_JOB`.',
  internal: "Try again. If it stays, give the operator the `request_id`: it stands in the server's log.",
  resolver_unavailable: 'Try again in a moment. If it stays, the operator should look at `RESOLVER_URL`.',
  webhooks_unavailable: 'Try again in a moment; the database does not answer.',
  keys_unavailable: 'Try again in a moment; tokens still work. On a new server: apply the migrations.',
  upload_busy: 'Go on in a moment. Nothing is lost.',
  not_ready: 'Try again in a moment; `detail` says what does not answer.',
  protocol_unsupported: 'Install the version of the transcoder that belongs to the edge.',
  list_unavailable: 'Try again in a moment. Single jobs and their streams work meanwhile.',
};

export interface Meaning {
  means: string;
  advice: string;
}

/** How a job can end. Those about the machine that tried are `retryable`. */
export const JOB_ERRORS: Record<JobErrorCode, Meaning> = {
  no_video: { means: 'The file has sound, but no picture.', advice: 'Upload a file with a video track.' },
  empty_file: { means: 'The file has no bytes.', advice: 'Check the file, and upload it again.' },
  not_media: {
    means: 'The file is no video: text, an image, a document, or damaged from its first bytes on.',
    advice: 'Try whether it plays on your machine; export it as MP4, MOV, MKV or WebM.',
  },
  too_large: {
    means: 'The picture has more pixels than 8192x4320.',
    advice: 'Scale the video down before you upload it.',
  },
  too_long: { means: 'The video is longer than 24 hours.', advice: 'Cut it into parts.' },
  truncated: {
    means: 'The index of the file is missing, or more than half of the video that it promises.',
    advice: 'The file was probably cut while it was copied or recorded: get it again from its source.',
  },
  upload_expired: {
    means: 'The upload was not finished in time (a day, `UPLOAD_EXPIRY_MS`).',
    advice: 'Upload the video again.',
  },
  source_unreachable: {
    means: 'The server of the URL could not be reached.',
    advice: 'Check the address, then send it again.',
  },
  source_timeout: {
    means: 'The server of the URL answered too late, or fell silent.',
    advice: 'Try again later, or upload the file.',
  },
  source_incomplete: {
    means: 'The server of the URL sent fewer bytes than it had promised.',
    advice: 'Try again, or upload the file.',
  },
  source_refused: {
    means: 'The server of the URL answered with an error.',
    advice: 'Check that anybody may fetch the address; a signature in it may have expired.',
  },
  source_wrong_type: {
    means: 'The URL leads to something else, such as a page.',
    advice: 'Send the address of the file itself.',
  },
  source_too_large: {
    means: 'The file behind the URL is larger than `MAX_UPLOAD_BYTES`.',
    advice: 'Make it smaller, or have the limit raised.',
  },
  source_changed: { means: 'The file behind the URL changed while it was fetched.', advice: 'Send the address again.' },
  source_not_resumable: {
    means: 'The server of the URL cannot go on in the middle, and the file takes too long for one go.',
    advice: 'Use a server that knows Range, or upload the file.',
  },
  invalid_url: {
    means: 'The URL, or one that it leads to, is none that can be fetched.',
    advice: 'Send an absolute http or https address without credentials.',
  },
  url_refused: {
    means: 'The URL, or one that it leads to, is at an address that this server does not reach.',
    advice: 'Send a public address.',
  },
  url_unresolved: {
    means: 'The name in the URL, or in one that it leads to, has no address.',
    advice: 'Check the name.',
  },
  too_many_redirects: {
    means: 'The URL leads from one address to the next, and to no file.',
    advice: 'Send the address of the file itself.',
  },
  transcoder_lost: {
    means: 'The transcoder went away, three times in a row without making anything new.',
    advice: 'Look at the logs of the transcoders: often the memory is short. Then retry the job.',
  },
  encode_failed: {
    means: 'ffmpeg or the packager ended with an error.',
    advice: 'Retry. If it fails again, export the file anew; if all files fail, look at `FFMPEG_PATH`.',
  },
  no_space: {
    means: 'The disk of the transcoder is full: a task needs about three times the size of its source.',
    advice: 'Make room, or point `WORK_DIR` to a larger disk, then retry.',
  },
  stalled: {
    means: 'The encoder stood still for 30 s.',
    advice: 'Retry. If it stays, the machine is overloaded: use fewer `--slots`.',
  },
  internal: {
    means: "Something went wrong that is not the file's fault.",
    advice: 'Retry. If it fails again, the log of the transcoder has the reason.',
  },
  cannot_follow_plan: {
    means: 'This transcoder cannot go on with what another one began, for want of a filter or an encoder.',
    advice: 'Nothing: the job waits for another transcoder. Give all of them the same ffmpeg.',
  },
};

/** What a job went through without failing. */
export const WARNINGS: Record<WarningCode, Meaning> = {
  transcoder_lost: {
    means: 'A transcoder has not been heard of for 30 s.',
    advice: 'Nothing: another one goes on from what is stored.',
  },
  attempt_failed: {
    means: 'An attempt has ended with an error; `details.reason` is its code.',
    advice: 'Nothing: the job is tried again.',
  },
  tracks_dropped: {
    means: 'Further audio tracks or subtitles were left out; `details.tracks` names them.',
    advice: 'Make the track that you want the default one.',
  },
  incomplete_source: {
    means: 'There is less video in the file than it promises.',
    advice: 'Compare the end of the result with your file; upload it again if it was cut on the way.',
  },
  decode_errors: {
    means: 'Parts of the file are damaged; `details.count` says how many times the decoder stumbled.',
    advice: 'Look at the result; what could not be decoded is missing or smeared.',
  },
  vmaf_unavailable: {
    means: "The transcoder's ffmpeg has no libvmaf, so nothing was measured.",
    advice: 'Nothing, unless you want scores: then use an ffmpeg with libvmaf.',
  },
  low_quality: {
    means: 'The best rendition scores below `VMAF_FLOOR`.',
    advice: 'Use `quality: high`, or accept it: noise and grain score low.',
  },
};

/** When each event of a stream comes. */
export const EVENTS: Record<VisibleEntry['type'], string> = {
  state: 'The job was created, queued, leased by a transcoder, released by it, or retried.',
  stage: 'A stage begins; a `progress` of the same stage follows at once.',
  progress:
    'Work has advanced: at most once a second, every five seconds after ten minutes. `details` depends on the stage, and is `null` where there is no more to say.',
  rendition: 'A rendition is encoded and stored (`vmaf` is `null`), and again when it is measured.',
  playable: 'Playback can begin although the job still runs; again when a rendition joins.',
  warning: 'Something was not as it should be, and the job goes on.',
  complete: 'The job is completed. It ends the stream; `done`, an event without an id, goes directly before it.',
  error: 'The job has failed. It ends the stream.',
  cancelled: 'The job was cancelled. It ends the stream.',
};
