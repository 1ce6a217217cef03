-- +goose Up
-- Deliveries are claimed hook by hook, so that a slow receiver holds back its own only.
CREATE INDEX hook_delivery_waiting ON hook_delivery (hook_id, due_at) WHERE state = 1;
DROP INDEX hook_delivery_due;

-- +goose Down
CREATE INDEX hook_delivery_due ON hook_delivery (due_at) WHERE state = 1;
DROP INDEX hook_delivery_waiting;
