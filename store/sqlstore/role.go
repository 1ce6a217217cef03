package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

const roleColumns = `id, name, description, type, is_default, created_at, updated_at`

func scanRole(scan func(...any) error) (r store.Role, err error) {
	var byDefault int
	err = scan(&r.ID, &r.Name, &r.Description, (*string)(&r.Type), &byDefault, into(&r.CreatedAt), into(&r.UpdatedAt))
	r.Default = byDefault == 1
	return r, err
}

// Roles lists roles, and counts them.
func (db *DB) Roles(ctx context.Context, l store.RoleListing) ([]store.Role, int, error) {
	return pageOf(ctx, db, "list roles", `SELECT `+roleColumns, `
		FROM role WHERE (lower(name) LIKE lower(CAST($1 AS TEXT)) ESCAPE '\' OR lower(description) LIKE lower(CAST($1 AS TEXT)) ESCAPE '\')
		  AND CAST($2 AS TEXT) IN ('', type)
		  AND NOT EXISTS (SELECT 1 FROM user_role WHERE user_id = $3 AND role_id = role.id)
		  AND NOT EXISTS (SELECT 1 FROM client_role WHERE client_id = $4 AND role_id = role.id)`,
		`created_at, id`, l.Listing, []any{like(l.Search), string(l.Type), l.NotUser, l.NotClient}, scanRole)
}

// Role reads a role. The error is [store.NotFound].
func (db *DB) Role(ctx context.Context, id string) (store.Role, error) {
	return oneOf(ctx, db, "read role", `SELECT `+roleColumns+` FROM role WHERE id = $1`, []any{id}, scanRole)
}

// RoleHolders tells who has a role.
func (db *DB) RoleHolders(ctx context.Context, id string) (h store.RoleHolders, err error) {
	some := store.Listing{Limit: 3}
	if h.SomeUsers, h.Users, err = db.RoleUsers(ctx, id, some); err != nil {
		return h, err
	}
	h.SomeClients, h.Clients, err = db.RoleClients(ctx, id, some)
	return h, err
}

// RoleTally counts who has a role, and its scopes, each up to most; nothing if there is no
// such role.
func (db *DB) RoleTally(ctx context.Context, id string, most int) (n store.RoleTally, err error) {
	err = db.one(ctx, "count holders of role", `
		SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM user_role WHERE role_id = $1 LIMIT $2) AS people),
		       (SELECT COUNT(*) FROM (SELECT 1 FROM client_role WHERE role_id = $1 LIMIT $2) AS machines),
		       (SELECT COUNT(*) FROM (SELECT 1 FROM role_scope WHERE role_id = $1 LIMIT $2) AS scopes)`,
		[]any{id, most}, &n.Users, &n.Clients, &n.Scopes)
	return n, err
}

// CreateRole adds a role with scopes, by their ids. Errors: [store.Conflict] if its id or name is
// taken; [store.Invalid] if there is no such scope.
func (db *DB) CreateRole(ctx context.Context, r store.Role, scopes []string, told ...store.Event) error {
	const op = "create role"
	var s Script
	s.Do(`INSERT INTO role (id, name, description, type, is_default, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`,
		r.ID, r.Name, r.Description, string(r.Type), flag(r.Default), db.now())
	addScopes(&s, op, r.ID, scopes)
	return db.administer(ctx, op, &s, told...)
}

func addScopes(s *Script, op, role string, scopes []string) {
	for i, id := range scopes {
		s.Do(`SELECT 1 FROM scope WHERE id = $1`, id).Into(new(int)).Must = store.InvalidField(op, fmt.Sprintf("scopeIds[%d]", i), "is no scope that there is")
		s.Do(`INSERT INTO role_scope (role_id, scope_id) VALUES ($1, $2) ON CONFLICT (role_id, scope_id) DO NOTHING`, role, id)
	}
}

// UpdateRole replaces all of a role but its id, type and times, if it is still the one that
// was read: seen is its UpdatedAt then. It answers the new UpdatedAt. Errors:
// [store.NotFound], [store.Changed], [store.Conflict] if the name is taken.
func (db *DB) UpdateRole(ctx context.Context, r store.Role, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update role"
	var s Script
	var updated time.Time
	s.Do(`UPDATE role SET name = $3, description = $4, is_default = $5, updated_at = `+later("$6")+`
		WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		r.ID, seen.UnixMicro(), r.Name, r.Description, flag(r.Default), db.now()).Into(into(&updated)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM role WHERE id = $1`, r.ID)
}

// DeleteRole removes a role that nobody has. seen is its UpdatedAt; zero: whatever it is.
// Errors: [store.NotFound], [store.Changed], [store.InUse] if somebody has it.
func (db *DB) DeleteRole(ctx context.Context, id string, seen time.Time, told ...store.Event) error {
	const op = "delete role"
	var s Script
	s.Do(`SELECT 1 FROM role WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, id, stamp(seen)).Into(new(int)).Need(op, store.Changed)
	// Who gives people roles does not wait for changes of configuration. Each does it in
	// one statement that reads the role, so it comes before this one or finds no role.
	if alone := db.engine.KeepOut("user_role"); alone != "" {
		s.Do(alone)
	}
	s.Do(`DELETE FROM role WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM user_role WHERE role_id = $1)
		AND NOT EXISTS (SELECT 1 FROM client_role WHERE role_id = $1)`, id).Need(op, store.InUse)
	s.Do(`DELETE FROM role_scope WHERE role_id = $1`, id)
	err := db.administer(ctx, op, &s, told...)
	err = db.changedOrGone(ctx, err, `SELECT 1 FROM role WHERE id = $1`, id)
	return db.neededBy(ctx, err, "is a role of", `
		SELECT name FROM (
		  SELECT 1 AS kind, 'application ' || name AS name FROM client WHERE id IN (SELECT client_id FROM client_role WHERE role_id = $1)
		  UNION ALL SELECT 2, 'user ' || user_id FROM (SELECT user_id FROM user_role WHERE role_id = $1 LIMIT 6) few) holder
		ORDER BY kind, name LIMIT 6`, id)
}

// RoleScopes lists the scopes of a role, and counts them; none if there is no such role.
func (db *DB) RoleScopes(ctx context.Context, role string, l store.Listing) ([]store.Scope, int, error) {
	return pageOf(ctx, db, "list scopes of role", `SELECT `+scopeColumns, `
		FROM scope WHERE id IN (SELECT scope_id FROM role_scope WHERE role_id = $1) AND lower(name) LIKE lower(CAST($2 AS TEXT)) ESCAPE '\'`,
		`created_at, id`, l, []any{role, like(l.Search)}, scanScope)
}

// AddRoleScopes gives a role scopes, by their ids. Errors: [store.NotFound]; [store.Invalid]
// if there is no such scope.
func (db *DB) AddRoleScopes(ctx context.Context, role string, scopes []string, told ...store.Event) error {
	const op = "add scopes to role"
	var s Script
	s.Do(`UPDATE role SET updated_at = `+later("$2")+` WHERE id = $1`, role, db.now()).Need(op, store.NotFound)
	addScopes(&s, op, role, scopes)
	return db.administer(ctx, op, &s, told...)
}

// RemoveRoleScope takes a scope from a role. The error is [store.NotFound] if it does not
// have it.
func (db *DB) RemoveRoleScope(ctx context.Context, role, scope string, told ...store.Event) error {
	const op = "remove scope from role"
	var s Script
	s.Do(`DELETE FROM role_scope WHERE role_id = $1 AND scope_id = $2`, role, scope).Need(op, store.NotFound)
	s.Do(`UPDATE role SET updated_at = `+later("$2")+` WHERE id = $1`, role, db.now())
	return db.administer(ctx, op, &s, told...)
}

// SetRoleScopes gives a role exactly these scopes, by their ids. seen is its UpdatedAt; zero:
// whatever it is. Errors: those of [DB.AddRoleScopes], and [store.Changed].
func (db *DB) SetRoleScopes(ctx context.Context, role string, scopes []string, seen time.Time, told ...store.Event) error {
	const op = "set scopes of role"
	var s Script
	s.Do(`UPDATE role SET updated_at = `+later("$3")+` WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, role, stamp(seen), db.now()).Need(op, store.Changed)
	s.Do(`DELETE FROM role_scope WHERE role_id = $1`, role)
	addScopes(&s, op, role, scopes)
	err := db.administer(ctx, op, &s, told...)
	return db.changedOrGone(ctx, err, `SELECT 1 FROM role WHERE id = $1`, role)
}
