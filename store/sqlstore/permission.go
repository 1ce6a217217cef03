package sqlstore

import (
	"context"
	"slices"

	"idp/store"
)

// What tokens are made of: who may do what at which resource. What belongs to the
// configuration is as old as the cache; each change of resources, scopes, roles and of the
// roles of machines moves the epoch.

// ResourceAt reads the resource with an indicator, from the cache. The error is
// [store.NotFound].
func (db *DB) ResourceAt(ctx context.Context, indicator string) (store.Resource, error) {
	return cached(&db.cache, "resource at/"+indicator, func() (store.Resource, error) {
		return oneOf(ctx, db, "find resource", `SELECT `+resourceColumns+` FROM resource WHERE indicator = $1`, []any{indicator}, scanResource)
	})
}

// ScopesOf reads the names of the scopes that a resource has, in order, from the cache.
func (db *DB) ScopesOf(ctx context.Context, resource string) ([]string, error) {
	return db.keptNames(ctx, "scopes of/"+resource, "read scopes of resource", `SELECT name FROM scope WHERE resource_id = $1 ORDER BY name`, resource)
}

// MachineScopes reads the names of the scopes that a machine's roles give it at a resource,
// in order, from the cache.
func (db *DB) MachineScopes(ctx context.Context, client, resource string) ([]string, error) {
	return db.keptNames(ctx, "machine/"+client+"/"+resource, "read scopes of machine", `
		SELECT DISTINCT scope.name FROM client_role JOIN role ON role.id = client_role.role_id AND role.type = 'MachineToMachine'
		  JOIN role_scope ON role_scope.role_id = role.id JOIN scope ON scope.id = role_scope.scope_id
		WHERE client_role.client_id = $1 AND scope.resource_id = $2 ORDER BY scope.name`, client, resource)
}

// keptNames reads one column of text that the cache keeps under key.
func (db *DB) keptNames(ctx context.Context, key, op, query string, args ...any) ([]string, error) {
	kept, err := cached(&db.cache, key, func() ([]string, error) { return db.names(ctx, op, query, args...) })
	return slices.Clone(kept), err // the caller's own
}

// roleNames is a column with the roles of a person u, a line each, where a grant g has the
// scope roles. It is read only then: nearly no sign-in asks for it.
const roleNames = "CASE WHEN g.scopes LIKE '%\"roles\"%' THEN (SELECT string_agg(role.name, '\n' ORDER BY role.name) " +
	"FROM user_role JOIN role ON role.id = user_role.role_id WHERE user_role.user_id = u.id) ELSE NULL END"

// allow appends the reading of what the person of a grant may do at a resource, if one is
// asked for.
func allow(s *Script, grant store.ID, resource string, allowed *[]string) {
	if resource == "" {
		return
	}
	s.Do("SELECT string_agg(name, '\n' ORDER BY name) FROM ("+`
		SELECT DISTINCT scope.name FROM oidc_grant g JOIN user_role ON user_role.user_id = g.user_id
		  JOIN role_scope ON role_scope.role_id = user_role.role_id JOIN scope ON scope.id = role_scope.scope_id
		WHERE g.id = $1 AND scope.resource_id = $2) AS allowed`, grant[:], resource).Into(linesInto(allowed))
}

// CodeResources reads the indicators of the resources that a client's code was asked for
// with. The error is [store.NotFound].
func (db *DB) CodeResources(ctx context.Context, code store.Hash, client string) (resources []string, err error) {
	err = db.one(ctx, "read code", `SELECT resources FROM auth_code WHERE hash = $1 AND client_id = $2`, []any{code[:], client}, jsonInto(&resources))
	return resources, err
}

// GrantAsked reads what a client's grant was asked for with: scopes, and the indicators of
// resources. The error is [store.NotFound].
func (db *DB) GrantAsked(ctx context.Context, grant store.ID, client string) (scopes, resources []string, err error) {
	err = db.one(ctx, "read grant", `SELECT scopes, resources FROM oidc_grant WHERE id = $1 AND client_id = $2`,
		[]any{grant[:], client}, jsonInto(&scopes), jsonInto(&resources))
	return scopes, resources, err
}

// GrantLives tells whether a client's grant is not revoked, and its person not suspended.
func (db *DB) GrantLives(ctx context.Context, grant store.ID, client string) (bool, error) {
	err := db.one(ctx, "read grant", `
		SELECT 1 FROM oidc_grant g JOIN users u ON u.id = g.user_id
		WHERE g.id = $1 AND g.client_id = $2 AND g.revoked_at IS NULL AND u.suspended_at IS NULL`, []any{grant[:], client}, new(int))
	if store.CodeOf(err) == store.NotFound {
		return false, nil
	}
	return err == nil, err
}

// RoleNamed reads a role by its name. The error is [store.NotFound].
func (db *DB) RoleNamed(ctx context.Context, name string) (store.Role, error) {
	return oneOf(ctx, db, "find role", `SELECT `+roleColumns+` FROM role WHERE name = $1`, []any{name}, scanRole)
}

// hasDefaultRoles tells whether there are roles that who registers has, from the cache:
// nearly nowhere are there any, and then no sign-in has a statement for them.
func (db *DB) hasDefaultRoles(ctx context.Context) (bool, error) {
	roles, err := db.keptNames(ctx, "default roles", "read default roles", `SELECT id FROM role WHERE type = 'User' AND is_default = 1`)
	return len(roles) > 0, err
}

// giveDefaultRoles appends the roles that who registers has, for an account that an earlier
// step has just made, if it has.
func giveDefaultRoles(s *Script, user string) {
	s.Do(`
		INSERT INTO user_role (user_id, role_id)
		SELECT users.id, role.id FROM users, role WHERE users.id = $1 AND role.type = 'User' AND role.is_default = 1
		ON CONFLICT (user_id, role_id) DO NOTHING`, user)
}
