-- +goose Up
-- What people are told of their sessions.
ALTER TABLE session ADD COLUMN agent TEXT;      -- "Firefox on Windows"
ALTER TABLE session ADD COLUMN seen_at INTEGER; -- when an app was last let in with it

-- +goose Down
ALTER TABLE session DROP COLUMN seen_at;
ALTER TABLE session DROP COLUMN agent;
