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

// RoleNamed reads a role by its name. The error is [store.NotFound].
func (db *DB) RoleNamed(ctx context.Context, name string) (store.Role, error) {
	return oneOf(ctx, db, "find role", `SELECT `+roleColumns+` FROM role WHERE name = $1`, []any{name}, scanRole)
}

// giveDefaultRoles appends the roles that who registers has, for an account that an earlier
// step has just made, if it has.
func giveDefaultRoles(s *Script, user string) {
	s.Do(`
		INSERT INTO user_role (user_id, role_id)
		SELECT users.id, role.id FROM users, role WHERE users.id = $1 AND role.type = 'User' AND role.is_default = 1
		ON CONFLICT (user_id, role_id) DO NOTHING`, user)
}
