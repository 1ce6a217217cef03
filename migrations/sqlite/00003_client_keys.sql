-- +goose Up
-- How clients prove who they are: public keys beside secrets, and when a secret was
-- used last.
ALTER TABLE client ADD COLUMN jwks TEXT;
ALTER TABLE client_secret ADD COLUMN used_at INTEGER;
-- Assertions that were used (RFC 7523 section 3, jti), until they expire.
CREATE TABLE assertion (
  key        BLOB PRIMARY KEY,    -- hash of client and jti
  expires_at INTEGER NOT NULL,
  used_by    BLOB NOT NULL        -- the attempt that did
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE assertion;
ALTER TABLE client_secret DROP COLUMN used_at;
ALTER TABLE client DROP COLUMN jwks;
