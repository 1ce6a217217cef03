-- +goose Up
-- APIs that apps protect with our tokens (RFC 8707), and what may be done there.
CREATE TABLE resource (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  indicator  TEXT NOT NULL UNIQUE,  -- the URI that tokens name as their audience
  access_ttl BIGINT NOT NULL,       -- of its access tokens, microseconds
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE scope (
  id          TEXT PRIMARY KEY,
  resource_id TEXT NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  UNIQUE (resource_id, name)
);
-- The management API itself; its id is for ever, whatever else it may be called.
INSERT INTO resource (id, name, indicator, access_ttl, created_at, updated_at)
VALUES ('management-api', 'Management API', 'https://default.logto.app/api', 3600000000, 0, 0);
INSERT INTO scope (id, resource_id, name, description, created_at, updated_at)
VALUES ('management-api-all', 'management-api', 'all', 'Everything that the management API can do', 0, 0);
-- What codes and grants ask for beyond the person: the resources named, a JSON list.
ALTER TABLE auth_code ADD COLUMN resources TEXT;
ALTER TABLE oidc_grant ADD COLUMN resources TEXT;

-- +goose Down
ALTER TABLE oidc_grant DROP COLUMN resources;
ALTER TABLE auth_code DROP COLUMN resources;
DROP TABLE scope;
DROP TABLE resource;
