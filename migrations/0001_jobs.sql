-- The list of jobs. Truth is in the jobs themselves: a row can be lost and comes again with the job's next change.
-- Of a deleted job only the id, the times and last_event_id stay. Times in ms since 1970.
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT NOT NULL PRIMARY KEY,
  folded_key TEXT,
  status TEXT,
  created_at INTEGER,
  completed_at INTEGER,
  updated_at INTEGER NOT NULL,
  last_event_id INTEGER NOT NULL,
  deleted_at INTEGER,
  woken_at INTEGER NOT NULL DEFAULT 0,
  summary TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS jobs_newest ON jobs (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS jobs_by_key ON jobs (folded_key, status, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS jobs_ended ON jobs (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_deleted ON jobs (deleted_at) WHERE deleted_at IS NOT NULL;
