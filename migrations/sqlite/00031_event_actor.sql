-- +goose Up
-- The entries of who did something. What people did themselves has no actor, and is in
-- no such index: sign-ins pay nothing for it.
CREATE INDEX event_actor ON event (actor, at, id) WHERE actor <> '';

-- +goose Down
DROP INDEX event_actor;
