-- +goose Up
-- What holds for the whole instance until it ends: one row a name, with when it began last.
CREATE TABLE alarm (
  name      TEXT PRIMARY KEY,
  raised_at INTEGER NOT NULL,
  ended_at  INTEGER           -- NULL: it is on
) STRICT, WITHOUT ROWID;
-- Wrong guesses on challenges that were not redeemed, and challenges that were, by stretch of
-- time and by the replica that judged them: no row is shared, so none is waited for.
CREATE TABLE guess_count (
  at       INTEGER NOT NULL,  -- start of the stretch
  replica  BLOB    NOT NULL,
  missed   INTEGER NOT NULL,  -- below 0 if what was wrong elsewhere was redeemed here
  redeemed INTEGER NOT NULL,
  PRIMARY KEY (at, replica)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE guess_count;
DROP TABLE alarm;
