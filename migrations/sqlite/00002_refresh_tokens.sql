-- +goose Up
-- A grant holds the hashes of its live tokens: two access tokens, because the one
-- before the last may be on its way somewhere, and the refresh token with the one it
-- replaced, which for some seconds still gets its successor.
ALTER TABLE oidc_grant ADD COLUMN offline INTEGER;        -- 1: it outlives its session
ALTER TABLE oidc_grant ADD COLUMN auth_time INTEGER;    -- of the session, which may be gone before the grant
ALTER TABLE oidc_grant ADD COLUMN amr TEXT;
ALTER TABLE oidc_grant ADD COLUMN access_scopes TEXT;   -- if they are not the grant's
ALTER TABLE oidc_grant ADD COLUMN access_hash2 BLOB;
ALTER TABLE oidc_grant ADD COLUMN access_until2 INTEGER;
ALTER TABLE oidc_grant ADD COLUMN access_scopes2 TEXT;
ALTER TABLE oidc_grant ADD COLUMN access_revoked INTEGER; -- how many access tokens were revoked
ALTER TABLE oidc_grant ADD COLUMN refresh_hash BLOB;
ALTER TABLE oidc_grant ADD COLUMN refresh_prev BLOB;
ALTER TABLE oidc_grant ADD COLUMN refresh_made INTEGER; -- when refresh_hash took the place of refresh_prev
ALTER TABLE oidc_grant ADD COLUMN refresh_prev_made INTEGER; -- when refresh_prev took the place of its own
ALTER TABLE oidc_grant ADD COLUMN refresh_until INTEGER; -- it dies then, unless used; NULL: there is none
ALTER TABLE oidc_grant ADD COLUMN ends_at INTEGER;      -- no refresh token of this grant lives longer
ALTER TABLE auth_code ADD COLUMN offline INTEGER;
ALTER TABLE client ADD COLUMN always_refresh INTEGER;     -- 1: a refresh token even without offline_access

-- +goose Down
ALTER TABLE client DROP COLUMN always_refresh;
ALTER TABLE auth_code DROP COLUMN offline;
ALTER TABLE oidc_grant DROP COLUMN ends_at;
ALTER TABLE oidc_grant DROP COLUMN refresh_until;
ALTER TABLE oidc_grant DROP COLUMN refresh_prev_made;
ALTER TABLE oidc_grant DROP COLUMN refresh_made;
ALTER TABLE oidc_grant DROP COLUMN refresh_prev;
ALTER TABLE oidc_grant DROP COLUMN refresh_hash;
ALTER TABLE oidc_grant DROP COLUMN access_revoked;
ALTER TABLE oidc_grant DROP COLUMN access_scopes2;
ALTER TABLE oidc_grant DROP COLUMN access_until2;
ALTER TABLE oidc_grant DROP COLUMN access_hash2;
ALTER TABLE oidc_grant DROP COLUMN access_scopes;
ALTER TABLE oidc_grant DROP COLUMN amr;
ALTER TABLE oidc_grant DROP COLUMN auth_time;
ALTER TABLE oidc_grant DROP COLUMN offline;
