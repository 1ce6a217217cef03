package sqlstore

import "idp/store"

// personColumns are what tokens tell of a person, of users u. Custom data is not among
// them: only userinfo tells it, and it may be large.
const personColumns = `u.id, u.email, u.name, u.created_at, u.updated_at, COALESCE(u.username, ''), COALESCE(u.avatar, ''), u.profile`

// personInto scans them.
func personInto(u *store.User) []any {
	return []any{&u.ID, (*string)(&u.Email), &u.Name, into(&u.CreatedAt), into(&u.UpdatedAt), &u.Username, &u.Avatar, jsonInto(&u.Profile)}
}
