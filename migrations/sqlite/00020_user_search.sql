-- +goose Up
-- People are found by how their address, username or name begins.
ALTER TABLE users ADD COLUMN name_key TEXT;  -- the name in lower case; NULL: there is none
CREATE INDEX users_username_key ON users (lower(username)) WHERE username IS NOT NULL;
CREATE INDEX users_name ON users (name_key, id) WHERE name_key IS NOT NULL;

-- +goose Down
DROP INDEX users_name;
DROP INDEX users_username_key;
ALTER TABLE users DROP COLUMN name_key;
