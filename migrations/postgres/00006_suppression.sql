-- +goose Up
-- Addresses that take no mail: hard bounces, complaints, refusals.
CREATE TABLE suppression (
  address    BYTEA PRIMARY KEY,  -- keyed hash, as in mail
  recipient  BYTEA NOT NULL,     -- the address, sealed
  reason     TEXT NOT NULL,      -- bounce, complaint, refused, manual
  detail     TEXT NOT NULL,      -- the provider's words
  sender     TEXT NOT NULL,      -- the connector that learned it, or empty
  mail       BYTEA,              -- by which it was learned
  created_at BIGINT NOT NULL
);
-- Notifications that were taken, so that one that is played again changes nothing.
CREATE TABLE notification (
  key        BYTEA PRIMARY KEY,  -- hash of its source and id
  expires_at BIGINT NOT NULL,
  taken_by   BYTEA NOT NULL      -- the attempt that did
);

-- +goose Down
DROP TABLE notification;
DROP TABLE suppression;
