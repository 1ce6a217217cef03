-- +goose Up
-- Tokens that administrators make for an address and hand over by themselves.
CREATE TABLE one_time_token (
  id          TEXT PRIMARY KEY,
  email       TEXT NOT NULL,
  hash        BLOB NOT NULL UNIQUE,
  context     TEXT NOT NULL,      -- JSON
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  consumed_at INTEGER,
  consumed_by BLOB,              -- hash of the session it became, or the attempt
  revoked_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_token_email ON one_time_token (email, id);

-- +goose Down
DROP TABLE one_time_token;
