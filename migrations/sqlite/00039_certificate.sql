-- +goose Up
-- What an ACME authority gave: the account, certificates with their keys, and for minutes the answers
-- to its challenges, so that whichever replica it asks has them.
CREATE TABLE certificate (
  name    TEXT PRIMARY KEY,
  sealed  BLOB NOT NULL,
  kept_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE certificate;
