-- +goose Up
-- What administrators and apps know of people beyond their address.
ALTER TABLE users ADD COLUMN username TEXT;
ALTER TABLE users ADD COLUMN avatar TEXT;
ALTER TABLE users ADD COLUMN profile TEXT;      -- JSON: claims of OpenID Connect Core section 5.1, by Logto's names
ALTER TABLE users ADD COLUMN custom_data TEXT;  -- JSON
ALTER TABLE users ADD COLUMN client_id TEXT;    -- the app that the account was made in
CREATE UNIQUE INDEX users_username ON users (username) WHERE username IS NOT NULL;
-- Lists are by age, newest first, and page by these two.
CREATE INDEX users_created ON users (created_at, id);

-- +goose Down
DROP INDEX users_created;
DROP INDEX users_username;
ALTER TABLE users DROP COLUMN client_id;
ALTER TABLE users DROP COLUMN custom_data;
ALTER TABLE users DROP COLUMN profile;
ALTER TABLE users DROP COLUMN avatar;
ALTER TABLE users DROP COLUMN username;
