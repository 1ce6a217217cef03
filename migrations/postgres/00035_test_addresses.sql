-- +goose Up
-- Addresses whose code is always the same, until a day: for reviews in app stores, and tests.
CREATE TABLE test_address (
  email      TEXT PRIMARY KEY,
  code       BYTEA  NOT NULL,   -- sealed
  created_at BIGINT NOT NULL,
  ends_at    BIGINT NOT NULL
);
-- Whether the fixed code is, or was, right on a challenge: then guesses ask for the row above.
ALTER TABLE challenge ADD COLUMN test SMALLINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE challenge DROP COLUMN test;
DROP TABLE test_address;
