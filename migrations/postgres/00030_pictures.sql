-- +goose Up
-- Logos and icons, served by us under the SHA-256 of what they are.
CREATE TABLE picture (
  hash       TEXT   NOT NULL PRIMARY KEY,
  type       TEXT   NOT NULL,
  data       BYTEA  NOT NULL,
  created_at BIGINT NOT NULL
);
-- Which one was found at an address, when that was set.
CREATE TABLE picture_source (
  url        TEXT   NOT NULL PRIMARY KEY,
  hash       TEXT   NOT NULL,
  fetched_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE picture_source;
DROP TABLE picture;
