-- +goose Up
-- Secrets of clients have names, and may end by themselves.
ALTER TABLE client_secret ADD COLUMN name TEXT;
ALTER TABLE client_secret ADD COLUMN expires_at BIGINT;

-- +goose Down
ALTER TABLE client_secret DROP COLUMN expires_at;
ALTER TABLE client_secret DROP COLUMN name;
