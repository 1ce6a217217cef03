-- +goose Up
-- Addresses whose code is always the same, until a day: for reviews in app stores, and tests.
CREATE TABLE test_address (
  email      TEXT PRIMARY KEY,
  code       BLOB    NOT NULL,  -- sealed
  created_at INTEGER NOT NULL,
  ends_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Whether the fixed code is, or was, right on a challenge: then guesses ask for the row above.
ALTER TABLE challenge ADD COLUMN test INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE challenge DROP COLUMN test;
DROP TABLE test_address;
