-- +goose Up
-- Addresses that take no mail: hard bounces, complaints, refusals.
CREATE TABLE suppression (
  address    BLOB PRIMARY KEY,  -- keyed hash, as in mail
  recipient  BLOB NOT NULL,     -- the address, sealed
  reason     TEXT NOT NULL,      -- bounce, complaint, refused, manual
  detail     TEXT NOT NULL,      -- the provider's words
  sender     TEXT NOT NULL,      -- the connector that learned it, or empty
  mail       BLOB,              -- by which it was learned
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Notifications that were taken, so that one that is played again changes nothing.
CREATE TABLE notification (
  key        BLOB PRIMARY KEY,  -- hash of its source and id
  expires_at INTEGER NOT NULL,
  taken_by   BLOB NOT NULL      -- the attempt that did
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE notification;
DROP TABLE suppression;
