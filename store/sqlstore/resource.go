package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

const resourceColumns = `id, name, indicator, access_ttl, created_at, updated_at`

func scanResource(scan func(...any) error) (r store.Resource, err error) {
	var ttl int64
	err = scan(&r.ID, &r.Name, &r.Indicator, &ttl, into(&r.CreatedAt), into(&r.UpdatedAt))
	r.AccessTTL = time.Duration(ttl) * time.Microsecond
	return r, err
}

// Resources lists resources, and counts them.
func (db *DB) Resources(ctx context.Context, l store.Listing) ([]store.Resource, int, error) {
	return pageOf(ctx, db, "list resources", `SELECT `+resourceColumns,
		`FROM resource WHERE lower(name) LIKE lower(CAST($1 AS TEXT)) ESCAPE '\' OR lower(indicator) LIKE lower(CAST($1 AS TEXT)) ESCAPE '\'`,
		`created_at, id`, l, []any{like(l.Search)}, scanResource)
}

// Resource reads a resource. The error is [store.NotFound].
func (db *DB) Resource(ctx context.Context, id string) (store.Resource, error) {
	return oneOf(ctx, db, "read resource", `SELECT `+resourceColumns+` FROM resource WHERE id = $1`, []any{id}, scanResource)
}

// CreateResource adds a resource. The error is [store.Conflict] if its id or indicator is
// taken.
func (db *DB) CreateResource(ctx context.Context, r store.Resource, told ...store.Event) error {
	var s Script
	s.Do(`INSERT INTO resource (id, name, indicator, access_ttl, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`,
		r.ID, r.Name, r.Indicator, micro(r.AccessTTL), db.now())
	return db.administer(ctx, "create resource", &s, told...)
}

// UpdateResource replaces name and lifetime of a resource, if it is still the one that was
// read: seen is its UpdatedAt then. It answers the new UpdatedAt. Errors: [store.NotFound],
// [store.Changed].
func (db *DB) UpdateResource(ctx context.Context, r store.Resource, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update resource"
	var s Script
	var updated time.Time
	s.Do(`UPDATE resource SET name = $3, access_ttl = $4, updated_at = `+later("$5")+` WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		r.ID, seen.UnixMicro(), r.Name, micro(r.AccessTTL), db.now()).Into(into(&updated)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM resource WHERE id = $1`, r.ID)
}

// DeleteResource removes a resource and its scopes. seen is its UpdatedAt; zero: whatever it
// is. Errors: [store.NotFound], [store.Changed], [store.InUse] if a role has one of its scopes.
func (db *DB) DeleteResource(ctx context.Context, id string, seen time.Time, told ...store.Event) error {
	const op = "delete resource"
	var s Script
	s.Do(`SELECT 1 FROM resource WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, id, stamp(seen)).Into(new(int)).Need(op, store.Changed)
	s.Do(`DELETE FROM resource WHERE id = $1 AND NOT EXISTS (
		SELECT 1 FROM role_scope JOIN scope ON scope.id = role_scope.scope_id WHERE scope.resource_id = $1)`, id).Need(op, store.InUse)
	s.Do(`DELETE FROM scope WHERE resource_id = $1`, id)
	err := db.administer(ctx, op, &s, told...)
	err = db.changedOrGone(ctx, err, `SELECT 1 FROM resource WHERE id = $1`, id)
	return db.neededBy(ctx, err, "has scopes of roles", `
		SELECT name FROM role WHERE id IN (SELECT role_id FROM role_scope JOIN scope ON scope.id = role_scope.scope_id WHERE scope.resource_id = $1)
		ORDER BY name LIMIT 6`, id)
}

const scopeColumns = `id, resource_id, name, description, created_at, updated_at`

func scanScope(scan func(...any) error) (c store.Scope, err error) {
	err = scan(&c.ID, &c.Resource, &c.Name, &c.Description, into(&c.CreatedAt), into(&c.UpdatedAt))
	return c, err
}

// Scopes lists the scopes of a resource, and counts them; none if there is no such resource.
func (db *DB) Scopes(ctx context.Context, resource string, l store.Listing) ([]store.Scope, int, error) {
	return pageOf(ctx, db, "list scopes", `SELECT `+scopeColumns,
		`FROM scope WHERE resource_id = $1 AND lower(name) LIKE lower(CAST($2 AS TEXT)) ESCAPE '\'`,
		`created_at, id`, l, []any{resource, like(l.Search)}, scanScope)
}

// AllScopes lists the scopes of all resources, resource by resource, and counts them.
func (db *DB) AllScopes(ctx context.Context, l store.Listing) ([]store.Scope, int, error) {
	return pageOf(ctx, db, "list all scopes", `SELECT `+scopeColumns, `FROM scope WHERE lower(name) LIKE lower(CAST($1 AS TEXT)) ESCAPE '\'`,
		`resource_id, created_at, id`, l, []any{like(l.Search)}, scanScope)
}

// ScopeCounts tells how many scopes each resource has; those that have none are missing. It
// looks at [store.MaxCount] scopes.
func (db *DB) ScopeCounts(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	err := db.engine.Read(ctx, `SELECT resource_id, COUNT(*) FROM (SELECT resource_id FROM scope LIMIT $1) AS counted GROUP BY resource_id`, []any{store.MaxCount},
		func(scan func(...any) error) error {
			var id string
			var n int
			err := scan(&id, &n)
			out[id] = n
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("count scopes: %w", err)
	}
	return out, nil
}

// Scope reads a scope. The error is [store.NotFound].
func (db *DB) Scope(ctx context.Context, id string) (store.Scope, error) {
	return oneOf(ctx, db, "read scope", `SELECT `+scopeColumns+` FROM scope WHERE id = $1`, []any{id}, scanScope)
}

// CreateScope adds a scope to a resource. Errors: [store.NotFound] if there is no such
// resource, [store.Conflict] if it has a scope of that name.
func (db *DB) CreateScope(ctx context.Context, c store.Scope, told ...store.Event) error {
	const op = "create scope"
	var s Script
	s.Do(`INSERT INTO scope (id, resource_id, name, description, created_at, updated_at)
		SELECT $1, id, $3, $4, $5, $5 FROM resource WHERE id = $2`, c.ID, c.Resource, c.Name, c.Description, db.now()).Need(op, store.NotFound)
	return db.administer(ctx, op, &s, told...)
}

// UpdateScope replaces name and description of a scope, if it is still the one that was
// read: seen is its UpdatedAt then. It answers the new UpdatedAt. Errors: [store.NotFound],
// [store.Changed], [store.Conflict] if another scope of the resource has the name.
func (db *DB) UpdateScope(ctx context.Context, c store.Scope, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update scope"
	var s Script
	var updated time.Time
	s.Do(`UPDATE scope SET name = $3, description = $4, updated_at = `+later("$5")+` WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		c.ID, seen.UnixMicro(), c.Name, c.Description, db.now()).Into(into(&updated)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM scope WHERE id = $1`, c.ID)
}

// DeleteScope removes a scope. seen is its UpdatedAt; zero: whatever it is. Errors:
// [store.NotFound], [store.Changed], [store.InUse] if a role has it.
func (db *DB) DeleteScope(ctx context.Context, id string, seen time.Time, told ...store.Event) error {
	const op = "delete scope"
	var s Script
	s.Do(`SELECT 1 FROM scope WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, id, stamp(seen)).Into(new(int)).Need(op, store.Changed)
	s.Do(`DELETE FROM scope WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM role_scope WHERE scope_id = $1)`, id).Need(op, store.InUse)
	err := db.administer(ctx, op, &s, told...)
	err = db.changedOrGone(ctx, err, `SELECT 1 FROM scope WHERE id = $1`, id)
	return db.neededBy(ctx, err, "is a scope of roles", `
		SELECT name FROM role WHERE id IN (SELECT role_id FROM role_scope WHERE scope_id = $1) ORDER BY name LIMIT 6`, id)
}
