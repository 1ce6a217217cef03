package sqlstore

import (
	"context"

	"idp/store"
)

// personColumns are what tokens tell of a person, of users u. Custom data is not among
// them: only userinfo tells it, and it may be large.
const personColumns = `u.id, u.email, u.name, u.created_at, u.updated_at, COALESCE(u.username, ''), COALESCE(u.avatar, ''), u.profile`

// personInto scans them.
func personInto(u *store.User) []any {
	return []any{&u.ID, (*string)(&u.Email), &u.Name, into(&u.CreatedAt), into(&u.UpdatedAt), &u.Username, &u.Avatar, jsonInto(&u.Profile)}
}

// Person reads what other programs are told of somebody. The error is [store.NotFound].
func (db *DB) Person(ctx context.Context, id string) (store.User, error) {
	var u store.User
	err := db.one(ctx, "read person", `SELECT u.suspended_at, u.custom_data, COALESCE(u.client_id, ''), `+personColumns+` FROM users AS u WHERE u.id = $1`, []any{id},
		append([]any{into(&u.SuspendedAt), jsonInto(&u.CustomData), &u.Client}, personInto(&u)...)...)
	return u, err
}
