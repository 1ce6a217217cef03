-- +goose Up
-- Who did what, from where. What is personal of it is sealed: at first under the
-- instance's key, and, once the row is in a batch, under the key of the person that it is
-- about, which goes when the account goes.
ALTER TABLE event ADD COLUMN actor TEXT;      -- user:ID, client:ID, command, or empty: the person of user_id
ALTER TABLE event ADD COLUMN target TEXT;     -- what it was done to: client:ID, hook:ID, ...
ALTER TABLE event ADD COLUMN request TEXT;    -- id of the HTTP request
ALTER TABLE event ADD COLUMN detail TEXT;     -- JSON, nothing personal and no secret: before, after, why
ALTER TABLE event ADD COLUMN personal BLOB;  -- sealed JSON: ip, agent, address, before, after
ALTER TABLE event ADD COLUMN key_id TEXT;     -- whose key personal is under: NULL for the instance's
ALTER TABLE event ADD COLUMN batch INTEGER;    -- NULL: not chained yet
CREATE INDEX event_unchained ON event (id) WHERE batch IS NULL;
CREATE INDEX event_user ON event (user_id, id);
CREATE INDEX event_client ON event (client_id, id);
CREATE INDEX event_kind ON event (kind, id) WHERE kind <> 'user.signed_in';
-- Each batch carries the Merkle root of its events and the hash of the batch before.
CREATE TABLE event_batch (
  no         INTEGER PRIMARY KEY,
  first_id   BLOB NOT NULL,
  last_id    BLOB NOT NULL,
  size       INTEGER NOT NULL,
  root       BLOB NOT NULL,
  hash       BLOB NOT NULL,  -- keyed, over all of this and the hash before
  made_by    BLOB NOT NULL,  -- the attempt that made it
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE user_key (
  user_id    TEXT PRIMARY KEY,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE user_key;
DROP TABLE event_batch;
DROP INDEX event_kind;
DROP INDEX event_client;
DROP INDEX event_user;
DROP INDEX event_unchained;
ALTER TABLE event DROP COLUMN batch;
ALTER TABLE event DROP COLUMN key_id;
ALTER TABLE event DROP COLUMN personal;
ALTER TABLE event DROP COLUMN detail;
ALTER TABLE event DROP COLUMN request;
ALTER TABLE event DROP COLUMN target;
ALTER TABLE event DROP COLUMN actor;
