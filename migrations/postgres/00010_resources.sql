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
VALUES ('management-api-all', 'management-api', 'all', 'Everything that the management API can do', 0, 0),
  ('management-api-applications-read', 'management-api', 'applications:read', 'Look at applications', 0, 0),
  ('management-api-applications-write', 'management-api', 'applications:write', 'Look at applications and change them', 0, 0),
  ('management-api-users-read', 'management-api', 'users:read', 'Look at users', 0, 0),
  ('management-api-users-write', 'management-api', 'users:write', 'Look at users and change them', 0, 0),
  ('management-api-connectors-read', 'management-api', 'connectors:read', 'Look at connectors', 0, 0),
  ('management-api-connectors-write', 'management-api', 'connectors:write', 'Look at connectors and change them', 0, 0),
  ('management-api-sign-in-exp-read', 'management-api', 'sign-in-exp:read', 'Look at sign-in-exp', 0, 0),
  ('management-api-sign-in-exp-write', 'management-api', 'sign-in-exp:write', 'Look at sign-in-exp and change them', 0, 0),
  ('management-api-email-templates-read', 'management-api', 'email-templates:read', 'Look at email-templates', 0, 0),
  ('management-api-email-templates-write', 'management-api', 'email-templates:write', 'Look at email-templates and change them', 0, 0),
  ('management-api-resources-read', 'management-api', 'resources:read', 'Look at resources', 0, 0),
  ('management-api-resources-write', 'management-api', 'resources:write', 'Look at resources and change them', 0, 0),
  ('management-api-roles-read', 'management-api', 'roles:read', 'Look at roles', 0, 0),
  ('management-api-roles-write', 'management-api', 'roles:write', 'Look at roles and change them', 0, 0),
  ('management-api-logs-read', 'management-api', 'logs:read', 'Look at logs', 0, 0),
  ('management-api-logs-write', 'management-api', 'logs:write', 'Look at logs and change them', 0, 0),
  ('management-api-hooks-read', 'management-api', 'hooks:read', 'Look at hooks', 0, 0),
  ('management-api-hooks-write', 'management-api', 'hooks:write', 'Look at hooks and change them', 0, 0),
  ('management-api-configs-read', 'management-api', 'configs:read', 'Look at configs', 0, 0),
  ('management-api-configs-write', 'management-api', 'configs:write', 'Look at configs and change them', 0, 0),
  ('management-api-one-time-tokens-read', 'management-api', 'one-time-tokens:read', 'Look at one-time-tokens', 0, 0),
  ('management-api-one-time-tokens-write', 'management-api', 'one-time-tokens:write', 'Look at one-time-tokens and change them', 0, 0),
  ('management-api-verification-codes-read', 'management-api', 'verification-codes:read', 'Look at verification-codes', 0, 0),
  ('management-api-verification-codes-write', 'management-api', 'verification-codes:write', 'Look at verification-codes and change them', 0, 0);
-- What codes and grants ask for beyond the person: the resources named, a JSON list.
ALTER TABLE auth_code ADD COLUMN resources TEXT;
ALTER TABLE oidc_grant ADD COLUMN resources TEXT;

-- +goose Down
ALTER TABLE oidc_grant DROP COLUMN resources;
ALTER TABLE auth_code DROP COLUMN resources;
DROP TABLE scope;
DROP TABLE resource;
