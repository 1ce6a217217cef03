package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// Who has which role. A client's roles are configuration, which replicas keep in their
// caches; a person's are read with each token, so that changing them empties no cache.

// RoleUsers lists the ids of the people who have a role, and counts them; none if there is
// no such role.
func (db *DB) RoleUsers(ctx context.Context, role string, l store.Listing) ([]string, int, error) {
	return pageOf(ctx, db, "list users of role", `SELECT user_id`, `FROM user_role WHERE role_id = $1`, `user_id`, l, []any{role},
		func(scan func(...any) error) (id string, err error) { return id, scan(&id) })
}

// RoleClients lists the clients that have a role, and counts them; none if there is no such
// role.
func (db *DB) RoleClients(ctx context.Context, role string, l store.Listing) ([]store.Client, int, error) {
	return pageOf(ctx, db, "list clients of role", `SELECT `+clientColumns, `
		FROM client WHERE id IN (SELECT client_id FROM client_role WHERE role_id = $1)
		  AND (lower(name) LIKE lower(CAST($2 AS TEXT)) ESCAPE '\' OR id LIKE CAST($2 AS TEXT) ESCAPE '\')`,
		`created_at, id`, l, []any{role, like(l.Search)}, scanClient)
}

// UserRoles lists the roles of a person, and counts them. The error is [store.NotFound].
func (db *DB) UserRoles(ctx context.Context, user string, l store.Listing) ([]store.Role, int, error) {
	const op = "list roles of user"
	if err := db.one(ctx, op, `SELECT 1 FROM users WHERE id = $1`, []any{user}, new(int)); err != nil {
		return nil, 0, err
	}
	return pageOf(ctx, db, op, `SELECT `+roleColumns, `
		FROM role WHERE id IN (SELECT role_id FROM user_role WHERE user_id = $1) AND lower(name) LIKE lower(CAST($2 AS TEXT)) ESCAPE '\'`,
		`created_at, id`, l, []any{user, like(l.Search)}, scanRole)
}

// ClientRoles lists the roles of a client, and counts them; none if there is no such client.
func (db *DB) ClientRoles(ctx context.Context, client string, l store.Listing) ([]store.Role, int, error) {
	return pageOf(ctx, db, "list roles of client", `SELECT `+roleColumns, `
		FROM role WHERE id IN (SELECT role_id FROM client_role WHERE client_id = $1) AND lower(name) LIKE lower(CAST($2 AS TEXT)) ESCAPE '\'`,
		`created_at, id`, l, []any{client, like(l.Search)}, scanRole)
}

// AddUserRoles gives each of these people each of these roles. The error is
// [store.Invalid] if there is no such person, or no such role of people.
func (db *DB) AddUserRoles(ctx context.Context, users, roles []string, told ...store.Event) error {
	const op = "give roles to users"
	var s Script
	giveUserRoles(&s, op, users, roles)
	return db.tellOnly(ctx, op, &s, told...)
}

func giveUserRoles(s *Script, op string, users, roles []string) {
	for i, user := range users {
		s.Do(`SELECT 1 FROM users WHERE id = $1`, user).Into(new(int)).Must = store.InvalidField(op, fmt.Sprintf("userIds[%d]", i), "is no user that there is")
		for _, role := range roles {
			s.Do(`INSERT INTO user_role (user_id, role_id) SELECT $1, id FROM role WHERE id = $2 AND type = $3
				ON CONFLICT (user_id, role_id) DO NOTHING`, user, role, string(store.UserRole))
		}
	}
	needRoles(s, op, store.UserRole, roles) // last: from the first INSERT on no role is deleted, see DeleteRole
}

func needRoles(s *Script, op string, kind store.RoleType, roles []string) {
	for i, role := range roles {
		s.Do(`SELECT 1 FROM role WHERE id = $1 AND type = $2`, role, string(kind)).Into(new(int)).
			Must = store.InvalidField(op, fmt.Sprintf("roleIds[%d]", i), "is no role of the type "+string(kind))
	}
}

// SetUserRoles gives a person exactly these roles. Errors: [store.NotFound]; [store.Invalid]
// if there is no such role of people.
func (db *DB) SetUserRoles(ctx context.Context, user string, roles []string, told ...store.Event) error {
	const op = "set roles of user"
	var s Script
	s.Do(`SELECT 1 FROM users WHERE id = $1`, user).Into(new(int)).Need(op, store.NotFound)
	s.Do(`DELETE FROM user_role WHERE user_id = $1`, user)
	giveUserRoles(&s, op, []string{user}, roles)
	return db.tellOnly(ctx, op, &s, told...)
}

// RemoveUserRole takes a role from a person. The error is [store.NotFound] if the person
// does not have it.
func (db *DB) RemoveUserRole(ctx context.Context, user, role string, told ...store.Event) error {
	const op = "take role from user"
	var s Script
	s.Do(`DELETE FROM user_role WHERE user_id = $1 AND role_id = $2`, user, role).Need(op, store.NotFound)
	return db.tellOnly(ctx, op, &s, told...)
}

// tellOnly runs a change that no replica keeps in its cache, and tells it to the audit log.
func (db *DB) tellOnly(ctx context.Context, op string, s *Script, told ...store.Event) error {
	now := db.now()
	for _, e := range told {
		tell(s, now, e)
	}
	if err := db.engine.Run(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// AddClientRoles gives each of these clients each of these roles. The error is
// [store.Invalid] if there is no such machine, or no such role of machines.
func (db *DB) AddClientRoles(ctx context.Context, clients, roles []string, told ...store.Event) error {
	const op = "give roles to clients"
	var s Script
	giveClientRoles(&s, op, db.now(), clients, roles)
	return db.administer(ctx, op, &s, told...)
}

// CreateMachine is [DB.CreateClient] for a client that has roles from the start, by their
// ids. The error is also [store.Invalid] if there is no such role of machines.
func (db *DB) CreateMachine(ctx context.Context, c store.Client, roles []string, told ...store.Event) error {
	const op = "create client"
	var s Script
	now := db.now()
	addClient(&s, now, c)
	giveClientRoles(&s, op, now, []string{c.ID}, roles)
	return db.administer(ctx, op, &s, told...)
}

func giveClientRoles(s *Script, op string, now int64, clients, roles []string) {
	needRoles(s, op, store.MachineRole, roles)
	for i, client := range clients {
		s.Do(`UPDATE client SET updated_at = `+later("$3")+` WHERE id = $1 AND type = $2`, client, string(store.Machine), now).
			Must = store.InvalidField(op, fmt.Sprintf("applicationIds[%d]", i), "is no machine-to-machine application")
		for _, role := range roles {
			s.Do(`INSERT INTO client_role (client_id, role_id) VALUES ($1, $2) ON CONFLICT (client_id, role_id) DO NOTHING`, client, role)
		}
	}
}

// SetClientRoles gives a client exactly these roles. seen is its UpdatedAt; zero: whatever
// it is. Errors: [store.NotFound], [store.Changed]; [store.Invalid] if it is no machine, or
// there is no such role of machines.
func (db *DB) SetClientRoles(ctx context.Context, client string, roles []string, seen time.Time, told ...store.Event) error {
	const op = "set roles of client"
	var s Script
	s.Do(`SELECT 1 FROM client WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, client, stamp(seen)).Into(new(int)).Need(op, store.Changed)
	s.Do(`DELETE FROM client_role WHERE client_id = $1`, client)
	giveClientRoles(&s, op, db.now(), []string{client}, roles)
	err := db.administer(ctx, op, &s, told...)
	return db.changedOrGone(ctx, err, `SELECT 1 FROM client WHERE id = $1`, client)
}

// RemoveClientRole takes a role from a client. The error is [store.NotFound] if it does not
// have it.
func (db *DB) RemoveClientRole(ctx context.Context, client, role string, told ...store.Event) error {
	const op = "take role from client"
	var s Script
	s.Do(`DELETE FROM client_role WHERE client_id = $1 AND role_id = $2`, client, role).Need(op, store.NotFound)
	s.Do(`UPDATE client SET updated_at = `+later("$2")+` WHERE id = $1`, client, db.now())
	return db.administer(ctx, op, &s, told...)
}
