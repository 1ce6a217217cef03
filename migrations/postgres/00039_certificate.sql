-- +goose Up
-- What an ACME authority gave: the account, certificates with their keys, and for minutes the answers
-- to its challenges, so that whichever replica it asks has them.
CREATE TABLE certificate (
  name    TEXT   NOT NULL PRIMARY KEY,
  sealed  BYTEA  NOT NULL,
  kept_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE certificate;
