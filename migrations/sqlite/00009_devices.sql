-- +goose Up
-- Browsers that have signed in to an address. After "this was not me", mails to it are
-- for them only, until its mute ends.
CREATE TABLE device (
  address    BLOB NOT NULL,     -- keyed hash, as in challenge
  browser    BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (address, browser)
) STRICT, WITHOUT ROWID;
CREATE TABLE mute (
  address BLOB PRIMARY KEY,     -- keyed hash, as in challenge
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE mute;
DROP TABLE device;
