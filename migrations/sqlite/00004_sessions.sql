-- +goose Up
-- What people are told of their sessions.
ALTER TABLE session ADD COLUMN agent TEXT;      -- "Firefox on Windows"
ALTER TABLE session ADD COLUMN seen_at INTEGER; -- when an app was last let in with it
-- A sign-out ends the codes that were not redeemed yet.
CREATE INDEX auth_code_user ON auth_code (user_id);

-- +goose Down
DROP INDEX auth_code_user;
ALTER TABLE session DROP COLUMN seen_at;
ALTER TABLE session DROP COLUMN agent;
