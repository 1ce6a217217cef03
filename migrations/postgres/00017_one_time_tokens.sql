-- +goose Up
-- Tokens that administrators make for an address and hand over by themselves.
CREATE TABLE one_time_token (
  id          TEXT PRIMARY KEY,
  email       TEXT NOT NULL,
  hash        BYTEA NOT NULL UNIQUE,
  context     TEXT NOT NULL,      -- JSON
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  consumed_at BIGINT,
  consumed_by BYTEA,              -- hash of the session it became, or the attempt
  revoked_at  BIGINT
);
CREATE INDEX one_time_token_email ON one_time_token (email, id);

-- +goose Down
DROP TABLE one_time_token;
