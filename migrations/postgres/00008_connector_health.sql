-- +goose Up
-- How each replica gets on with each connector; a row that is not renewed is a replica
-- that is gone.
CREATE TABLE connector_health (
  connector TEXT NOT NULL,
  replica   BYTEA NOT NULL,
  at        BIGINT NOT NULL,
  health    TEXT NOT NULL,       -- JSON
  PRIMARY KEY (connector, replica)
);

-- +goose Down
DROP TABLE connector_health;
