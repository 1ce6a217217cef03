-- +goose Up
-- Who may do what at an API: a scope is granted only through a role.
CREATE TABLE role (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  type        TEXT NOT NULL,      -- User or MachineToMachine
  is_default  SMALLINT NOT NULL,  -- 1: who registers has it
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE TABLE role_scope (
  role_id  TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  PRIMARY KEY (role_id, scope_id)
);
CREATE INDEX role_scope_scope ON role_scope (scope_id);
CREATE TABLE user_role (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role_id TEXT NOT NULL,
  PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_role_role ON user_role (role_id, user_id);
CREATE TABLE client_role (
  client_id TEXT NOT NULL,
  role_id   TEXT NOT NULL,
  PRIMARY KEY (client_id, role_id)
);
CREATE INDEX client_role_role ON client_role (role_id, client_id);
INSERT INTO role (id, name, description, type, is_default, created_at, updated_at)
VALUES ('management-api', 'Management API access', 'Everything that the management API can do', 'MachineToMachine', 0, 0, 0);
INSERT INTO role_scope (role_id, scope_id) VALUES ('management-api', 'management-api-all');

-- +goose Down
DROP TABLE client_role;
DROP TABLE user_role;
DROP TABLE role_scope;
DROP TABLE role;
