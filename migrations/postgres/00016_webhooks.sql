-- +goose Up
CREATE TABLE hook (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  events     TEXT NOT NULL,      -- JSON list
  url        TEXT NOT NULL,
  sealed     BYTEA NOT NULL,     -- headers and signing key
  enabled    SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- What is to be posted, and what became of it.
CREATE TABLE hook_delivery (
  id          BYTEA PRIMARY KEY,
  hook_id     TEXT NOT NULL,
  event       TEXT NOT NULL,
  payload     BYTEA,             -- sealed; removed when it is settled
  state       SMALLINT NOT NULL, -- 1 waiting, 2 delivered, 3 given up
  attempts    SMALLINT NOT NULL,
  worker      BYTEA NOT NULL,
  due_at      BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  settled_at  BIGINT,
  status      SMALLINT NOT NULL, -- of the last answer, 0 for none
  error       TEXT NOT NULL
);
CREATE INDEX hook_delivery_due ON hook_delivery (due_at) WHERE state = 1;
CREATE INDEX hook_delivery_hook ON hook_delivery (hook_id, id);

-- +goose Down
DROP TABLE hook_delivery;
DROP TABLE hook;
