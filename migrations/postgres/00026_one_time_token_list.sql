-- +goose Up
-- The list of one-time tokens, newest first.
CREATE INDEX one_time_token_created ON one_time_token (created_at, id);

-- +goose Down
DROP INDEX one_time_token_created;
