-- +goose Up
-- People are found by how their address, username or name begins. Bytes are compared,
-- whatever the language of the database: so an index answers, and both engines order alike.
ALTER TABLE users ALTER COLUMN email TYPE TEXT COLLATE "C";
ALTER TABLE users ALTER COLUMN username TYPE TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN name_key TEXT COLLATE "C";  -- the name in lower case; NULL: there is none
CREATE INDEX users_username_key ON users (lower(username)) WHERE username IS NOT NULL;
CREATE INDEX users_name ON users (name_key, id) WHERE name_key IS NOT NULL;

-- +goose Down
DROP INDEX users_name;
DROP INDEX users_username_key;
ALTER TABLE users DROP COLUMN name_key;
ALTER TABLE users ALTER COLUMN username TYPE TEXT COLLATE "default";
ALTER TABLE users ALTER COLUMN email TYPE TEXT COLLATE "default";
