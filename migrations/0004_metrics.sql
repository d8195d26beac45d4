-- What metrics read: how many jobs there are by status, attempts of the run, and code of the error; and since when (ms
-- since 1970) jobs wait that wait for a transcoder. All of it stands in the summary.
CREATE INDEX IF NOT EXISTS jobs_counted
  ON jobs (summary ->> '$.attempt', summary ->> '$.error.code', status) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS jobs_waiting
  ON jobs (summary ->> '$.waiting_since') WHERE summary ->> '$.waiting_since' IS NOT NULL;
