-- +goose Up
-- The theoretical arrival time of what a budget gives without a proof (see store.Limit).
ALTER TABLE budget ADD COLUMN tat3 BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE budget DROP COLUMN tat3;
