-- +goose Up
-- Who may do everything, by address: an owner need not have registered yet.
CREATE TABLE owner (
  email      TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- One row, taken by whatever could leave nobody: two that remove one another go one by one.
CREATE TABLE owner_guard (
  id    INTEGER PRIMARY KEY,
  turns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO owner_guard (id, turns) VALUES (1, 0);

-- +goose Down
DROP TABLE owner_guard;
DROP TABLE owner;
