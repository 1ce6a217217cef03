-- +goose Up
-- Keys of secrets that are gone, for what cannot be sealed anew, sealed under the secret.
CREATE TABLE kept_key (
  id      BYTEA PRIMARY KEY,   -- of the secret that it was derived from, 4 bytes, and of the purpose
  purpose TEXT NOT NULL,
  sealed  BYTEA NOT NULL
);

-- +goose Down
DROP TABLE kept_key;
