/** Every bound of the transcoder, in one place. Constants carry their unit. */

export const MAX_PIXELS = 8192 * 4320;
export const MAX_DURATION_SECONDS = 24 * 3600;
/** Under this share of the promised picture, the file is `truncated`; between the two, it gets a warning. Less than the slack is no loss. */
export const TRUNCATED_BELOW = 0.5;
export const INCOMPLETE_BELOW = 0.98;
export const LOSS_SLACK_SECONDS = 0.5;
export const MAX_NAMED_TRACKS = 16;
/** The best rendition's mean VMAF, below which a job gets a warning; the operator may choose another. */
export const VMAF_FLOOR = 70;

export const PROBE_TIMEOUT_MS = 60_000;
/** ffmpeg goes on printing blocks when it is stuck; this long without an advance, and the attempt ends. */
export const STALL_MS = 30_000;
/** Between two samples of a long video it may decode for minutes without a sign of life. */
export const MEASURE_STALL_MS = 600_000;
/** Poster and storyboard, or the MP4, as a whole: a start, and so much for each second of video. */
export const ARTIFACT_MS = { start: 600_000, perSecond: 1_000 };
/** The lowest rung and the audio: what the first picture waits for. Reports and uploads still come before it. */
export const FIRST_NICE = 2;
/** All else: it takes what the first picture leaves. */
export const REST_NICE = 15;
/** A tool may use this much processor time: a start, and so many seconds for each second of video. */
export const CPU_SECONDS = { start: 600, perSecond: 300 };
export const STDERR_BYTES = 16 * 1024;
export const PLAYLIST_POLL_MS = 50;
/** For each pair. */
export const PARALLEL_UPLOADS = 4;
/** A task needs this many times the size of its source on the disk: the source, the renditions, a copy of the best. What is kept to measure comes on top. */
export const DISK_FACTOR = 2.5;
/** A failure with less than this left on the disk is taken for a full disk. */
export const FULL_DISK_BYTES = 32 * 1024 * 1024;

export const REPORT_GAP_MS = 250;
export const REPORT_TICK_MS = 40;
/** An empty report renews the lease; with the tick and the way there, one arrives every second. */
export const RENEW_MS = 800;
export const PROGRESS_GAP_MS = 500;
export const MAX_ENTRIES = 100;
export const MAX_COMMITS = 500;

export const REQUEST_TIMEOUT_MS = 10_000;
export const FINISH_TIMEOUT_MS = 60_000;
export const UPLOAD_TIMEOUT_MS = 60_000;
/** A part of a large file is many times the size of a segment. */
export const PART_TIMEOUT_MS = 300_000;
export const LEASE_RETRIES = 3;
/** Without an answer a task is kept for so long after the last word that the edge took: the edge may be away itself. */
export const AWAY_MS = 600_000;
/** A download ends after this many tries in a row without a new byte; a try, after this long without one. Not before AWAY_MS. */
export const DOWNLOAD_TRIES = 30;
export const DOWNLOAD_IDLE_MS = 20_000;

export const PULL_TIMEOUT_MS = 15_000;
export const VISIBILITY_MS = 60_000;
export const IDLE_POLL_MS = { first: 250, most: 1_000 };
export const AWAY_POLL_MS = { first: 500, most: 15_000 };
/** A queue that has not answered for so long does not keep the next one waiting. */
export const PATIENCE_MS = 1_000;
/** With `--once` a queue counts as empty, or as out of reach, after this many such answers in a row. */
export const ONCE_TRIES = { empty: 2, away: 4 };
/** Shutdown: answers on their way are waited for this long, the courtesy calls get this long, and the whole of it this long. */
export const LAST_ANSWER_MS = 1_000;
export const GOODBYE_TIMEOUT_MS = 1_500;
export const SHUTDOWN_MS = 4_500;
