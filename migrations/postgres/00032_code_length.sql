-- +goose Up
-- How many characters the newest code of a challenge has, for the page that takes it.
-- Older challenges, and those of the release before, have 0: as many as the setting says.
ALTER TABLE challenge ADD COLUMN code_length SMALLINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE challenge DROP COLUMN code_length;
