-- +goose Up
-- Browsers that have signed in to an address. After "this was not me", mails to it are
-- for them only, until its mute ends.
CREATE TABLE device (
  address    BYTEA NOT NULL,     -- keyed hash, as in challenge
  browser    BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (address, browser)
);
CREATE TABLE mute (
  address BYTEA PRIMARY KEY,     -- keyed hash, as in challenge
  ends_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE mute;
DROP TABLE device;
