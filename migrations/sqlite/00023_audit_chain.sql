-- +goose Up
-- Lists are newest first, and by when things were written: the id of an entry may be
-- older, since a sign-in is named by its challenge.
DROP INDEX event_kind;
DROP INDEX event_client;
DROP INDEX event_user;
CREATE INDEX event_at ON event (at, id);
CREATE INDEX event_user ON event (user_id, at, id);
-- With the kind, a list of one kind in one app counts without a look at the table.
CREATE INDEX event_client ON event (client_id, at, id, kind);
CREATE INDEX event_kind ON event (kind, at, id) WHERE kind <> 'user.signed_in';
-- One index finds what is in no batch yet, and what is in one.
DROP INDEX event_unchained;
CREATE INDEX event_chain ON event (batch, id);
ALTER TABLE event_batch ADD COLUMN mac BLOB;  -- of hash, under a key of the instance
-- Ids and the beginnings of the hashes of its events: which one is broken, if the root does not fit.
ALTER TABLE event_batch ADD COLUMN leaves BLOB;
-- Where the chain begins after its oldest batches were removed on purpose.
CREATE TABLE event_anchor (
  id     INTEGER PRIMARY KEY, -- 1
  no     INTEGER NOT NULL,       -- the last batch that was removed
  hash   BLOB NOT NULL,        -- its hash
  mac    BLOB NOT NULL,        -- of this row
  cut_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE event_anchor;
ALTER TABLE event_batch DROP COLUMN leaves;
ALTER TABLE event_batch DROP COLUMN mac;
DROP INDEX event_chain;
CREATE INDEX event_unchained ON event (id) WHERE batch IS NULL;
DROP INDEX event_kind;
DROP INDEX event_client;
DROP INDEX event_user;
DROP INDEX event_at;
CREATE INDEX event_user ON event (user_id, id);
CREATE INDEX event_client ON event (client_id, id);
CREATE INDEX event_kind ON event (kind, id) WHERE kind <> 'user.signed_in';
