-- +goose Up
-- What holds for the whole instance until it ends: one row a name, with when it began last.
CREATE TABLE alarm (
  name      TEXT PRIMARY KEY,
  raised_at BIGINT NOT NULL,
  ended_at  BIGINT            -- NULL: it is on
);
-- Wrong guesses on challenges that were not redeemed, and challenges that were, by stretch of
-- time and by the replica that judged them: no row is shared, so none is waited for.
CREATE TABLE guess_count (
  at       BIGINT NOT NULL,   -- start of the stretch
  replica  BYTEA  NOT NULL,
  missed   BIGINT NOT NULL,   -- below 0 if what was wrong elsewhere was redeemed here
  redeemed BIGINT NOT NULL,
  PRIMARY KEY (at, replica)
);

-- +goose Down
DROP TABLE guess_count;
DROP TABLE alarm;
