-- The list of webhook endpoints. Truth is in the endpoints' objects. Times in ms since 1970.
-- implicit: made by the webhook_url of a job, for the jobs of one key (owner; NULL where there are no keys).
CREATE TABLE IF NOT EXISTS webhooks (
  id TEXT NOT NULL PRIMARY KEY,
  owner TEXT,
  implicit INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  summary TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS webhooks_newest ON webhooks (created_at, id);
CREATE INDEX IF NOT EXISTS webhooks_for_jobs ON webhooks (created_at, id) WHERE enabled = 1 AND implicit = 0;
