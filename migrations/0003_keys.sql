-- API keys: hash is the SHA-256 of the key, which nobody keeps. Times in ms since 1970.
CREATE TABLE IF NOT EXISTS api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('read', 'submit', 'admin')),
  hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;

-- Upload tokens that have brought their upload, for as long as another body that began with them may take.
CREATE TABLE IF NOT EXISTS spent_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS spent_tokens_expired ON spent_tokens (expires_at);
