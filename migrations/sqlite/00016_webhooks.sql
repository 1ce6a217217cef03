-- +goose Up
CREATE TABLE hook (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  events     TEXT NOT NULL,      -- JSON list
  url        TEXT NOT NULL,
  sealed     BLOB NOT NULL,     -- headers and signing key
  enabled    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- What is to be posted, and what became of it.
CREATE TABLE hook_delivery (
  id          BLOB PRIMARY KEY,
  hook_id     TEXT NOT NULL,
  event       TEXT NOT NULL,
  payload     BLOB,             -- sealed; removed when it is settled
  state       INTEGER NOT NULL, -- 1 waiting, 2 delivered, 3 given up
  attempts    INTEGER NOT NULL,
  worker      BLOB NOT NULL,
  due_at      INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  settled_at  INTEGER,
  status      INTEGER NOT NULL, -- of the last answer, 0 for none
  error       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_delivery_due ON hook_delivery (due_at) WHERE state = 1;
CREATE INDEX hook_delivery_hook ON hook_delivery (hook_id, id);

-- +goose Down
DROP TABLE hook_delivery;
DROP TABLE hook;
