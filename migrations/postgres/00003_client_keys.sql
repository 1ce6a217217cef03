-- +goose Up
-- How clients prove who they are: public keys beside secrets, and when a secret was
-- used last.
ALTER TABLE client ADD COLUMN jwks TEXT;
ALTER TABLE client_secret ADD COLUMN used_at BIGINT;
-- Assertions that were used (RFC 7523 section 3, jti), until they expire.
CREATE TABLE assertion (
  key        BYTEA PRIMARY KEY,    -- hash of client and jti
  expires_at BIGINT NOT NULL,
  used_by    BYTEA NOT NULL        -- the attempt that did
);

-- +goose Down
DROP TABLE assertion;
ALTER TABLE client_secret DROP COLUMN used_at;
ALTER TABLE client DROP COLUMN jwks;
