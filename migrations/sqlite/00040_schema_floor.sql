-- +goose Up
-- The newest migration that a program has to know to work on this schema. A migration that
-- only adds leaves it; one that the release before cannot live with raises it.
ALTER TABLE instance ADD COLUMN schema_floor INTEGER NOT NULL DEFAULT 40;

-- +goose Down
ALTER TABLE instance DROP COLUMN schema_floor;
