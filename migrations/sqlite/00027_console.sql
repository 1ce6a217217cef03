-- +goose Up
-- Who enters the console as what; all that were there may do everything.
ALTER TABLE owner ADD COLUMN role TEXT NOT NULL DEFAULT 'owner';
-- Who is in it. These sessions are no apps' business, nor are apps' sessions theirs.
CREATE TABLE console_session (
  hash       BLOB PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  browser    BLOB NOT NULL,
  auth_time  INTEGER NOT NULL,
  idle       INTEGER NOT NULL,  -- dies when it was not used for so long, microseconds
  idle_at    INTEGER NOT NULL,  -- dies then, unless used
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_user ON console_session (user_id);
-- Links into it that somebody at the machine made; each works once.
CREATE TABLE console_link (
  hash        BLOB PRIMARY KEY,
  email       TEXT NOT NULL,
  expires_at  INTEGER NOT NULL,
  consumed_at INTEGER,
  consumed_by BLOB              -- hash of the session it became
) STRICT, WITHOUT ROWID;
-- Forms that were sent, so that none does its work twice.
CREATE TABLE console_form (
  key        BLOB PRIMARY KEY,
  claimed_at INTEGER NOT NULL,
  location   TEXT NOT NULL      -- the page it ended at; empty until then
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE console_form;
DROP TABLE console_link;
DROP TABLE console_session;
ALTER TABLE owner DROP COLUMN role;
