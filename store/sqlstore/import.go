package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"idp/store"
)

// importColumns are what files of people hold, of users u, and are kept in.
const importColumns = `u.id, u.email, u.name, u.created_at, u.suspended_at, COALESCE(u.username, ''), COALESCE(u.avatar, ''), u.profile, u.custom_data,
	COALESCE((SELECT string_agg(role_id, ' ') FROM user_role WHERE user_role.user_id = u.id), '')`

func importInto(p *store.Import) []any {
	return []any{&p.ID, (*string)(&p.Email), &p.Name, into(&p.CreatedAt), into(&p.SuspendedAt), &p.Username, &p.Avatar,
		jsonInto(&p.Profile), jsonInto(&p.CustomData), (*words)(&p.Roles)}
}

// words scans texts that are parted by spaces.
type words []string

// Scan implements [database/sql.Scanner].
func (w *words) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("scan words from %T", v)
	}
	*w = strings.Fields(text)
	slices.Sort(*w)
	return nil
}

// ImportUsers makes accounts, all of them or none, with what is told of it. Who has no
// CreatedAt is made now. Roles that are gone meanwhile are left out. The error is
// [store.Conflict] if an id, address or username is taken, or an owner's account would come
// suspended: read [DB.UsersLike] and the owners anew, also when the answer of a run before
// was lost.
func (db *DB) ImportUsers(ctx context.Context, people []store.Import, told ...store.Event) error {
	const op = "import users"
	now := db.now()
	var s Script
	var users, roles [][]any
	suspended := slices.ContainsFunc(people, func(p store.Import) bool { return !p.SuspendedAt.IsZero() })
	if suspended {
		takeTurn(&s)
	}
	for _, p := range people {
		created := now
		if !p.CreatedAt.IsZero() {
			created = p.CreatedAt.UnixMicro()
		}
		users = append(users, []any{p.ID, string(p.Email), p.Name, created, now, optionalTime(p.SuspendedAt),
			optionalText(p.Username), optionalText(p.Avatar), profile(p.Profile), raw(p.CustomData), nameKey(p.Name)})
		for _, r := range p.Roles {
			roles = append(roles, []any{p.ID, r})
		}
	}
	for _, rows := range batches(users) {
		s.Do(`INSERT INTO users (id, email, name, created_at, updated_at, suspended_at, username, avatar, profile, custom_data, name_key)
			VALUES `+tuples(len(rows), 11), flat(rows)...)
	}
	for _, rows := range batches(roles) {
		s.Do(`INSERT INTO user_role (user_id, role_id) SELECT column1, column2 FROM (VALUES `+tuples(len(rows), 2)+`) AS given
			WHERE column2 IN (SELECT id FROM role WHERE type = 'User') ON CONFLICT DO NOTHING`, flat(rows)...)
	}
	if suspended {
		s.Do(`
			SELECT 1 FROM owner_guard WHERE NOT EXISTS (SELECT 1 FROM owner JOIN users ON users.email = owner.email
			  WHERE users.suspended_at IS NOT NULL AND users.updated_at = $1)`, now).Into(new(int)).Need(op, store.Conflict)
	}
	tellAll(&s, now, told)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// tellAll appends many entries of the audit log.
func tellAll(s *Script, now int64, told []store.Event) {
	var events [][]any
	for _, e := range told {
		if e.ID.IsZero() {
			e.ID = store.NewID(clock(now))
		}
		events = append(events, []any{e.ID[:], now, e.Kind, e.User, e.Client, e.Actor, e.Target, e.Request, raw(e.Detail), e.Personal})
	}
	for _, rows := range batches(events) {
		s.Do(`INSERT INTO event (id, at, kind, user_id, client_id, actor, target, request, detail, personal)
			VALUES `+tuples(len(rows), 10), flat(rows)...)
	}
}

// Tell writes entries of the audit log that go with no change.
func (db *DB) Tell(ctx context.Context, told ...store.Event) error {
	return db.tellOnly(ctx, "write to the audit log", &Script{Idempotent: true}, told...)
}

// UsersLike reads the accounts that have the id, the address or the username of one of
// the people, with their roles.
//
// Nothing here lets Postgres choose between an index and the whole table: a plan is kept,
// and the one for an empty table, where an import begins, would read all of it for each
// batch until the statistics are made anew. So these are many searches for one row.
func (db *DB) UsersLike(ctx context.Context, people []store.Import) ([]store.Import, error) {
	const op = "look for users"
	ids := map[string]bool{}
	rows := make([][]any, len(people))
	for i, p := range people {
		rows[i] = []any{p.ID, string(p.Email), p.Username}
	}
	for _, rows := range batches(rows) {
		err := db.engine.Read(ctx, `
			SELECT COALESCE((SELECT id FROM users WHERE id = column1), ''), COALESCE((SELECT id FROM users WHERE email = column2), ''),
			  COALESCE((SELECT id FROM users WHERE username = column3), '')
			FROM (VALUES `+tuples(len(rows), 3)+`) AS given`, flat(rows),
			func(scan func(...any) error) error {
				var byID, byEmail, byUsername string
				err := scan(&byID, &byEmail, &byUsername)
				ids[byID], ids[byEmail], ids[byUsername] = true, true, true
				return err
			})
		if err != nil {
			return nil, because(op, err)
		}
	}
	delete(ids, "")
	if len(ids) == 0 {
		return nil, nil
	}
	s := Script{Idempotent: true}
	found, steps := make([]store.Import, len(ids)), make([]*Step, 0, len(ids))
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		steps = append(steps, s.Do(`SELECT `+importColumns+` FROM users AS u WHERE u.id = $1`, id).Into(importInto(&found[len(steps)])...))
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return nil, because(op, err)
	}
	there := found[:0]
	for i, step := range steps { // somebody may have gone in between
		if step.Rows > 0 {
			there = append(there, found[i])
		}
	}
	return there, nil
}

// UsersFrom reads the accounts in the order of their ids, behind after, with their roles.
func (db *DB) UsersFrom(ctx context.Context, after string, limit int) ([]store.Import, error) {
	var out []store.Import
	err := db.engine.Read(ctx, `SELECT `+importColumns+` FROM users AS u WHERE u.id > $1 ORDER BY u.id LIMIT $2`, []any{after, limit},
		func(scan func(...any) error) error {
			out = append(out, store.Import{})
			return scan(importInto(&out[len(out)-1])...)
		})
	return out, because("read users with their roles", err)
}

// RolesOfPeople reads the roles that people can have.
func (db *DB) RolesOfPeople(ctx context.Context) ([]store.Role, error) {
	var out []store.Role
	err := db.engine.Read(ctx, `SELECT `+roleColumns+` FROM role WHERE type = 'User' ORDER BY id`, nil,
		func(scan func(...any) error) error {
			r, err := scanRole(scan)
			out = append(out, r)
			return err
		})
	return out, because("read the roles of people", err)
}

// batches cuts rows into pieces whose sizes are powers of two, 256 at most, so that the
// texts of statements with many rows are few, and are prepared once.
func batches(rows [][]any) (out [][][]any) {
	for len(rows) > 0 {
		n := min(256, 1<<(bits.Len(uint(len(rows)))-1))
		out, rows = append(out, rows[:n]), rows[n:]
	}
	return out
}

// tuples is ($1, $2), ($3, $4) for rows of columns.
func tuples(rows, columns int) string {
	var b strings.Builder
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(places(i*columns+1, columns))
	}
	return b.String()
}

// places is ($3, $4) for two placeholders from 3 on.
func places(from, n int) string {
	b := []byte{'('}
	for i := range n {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(append(b, '$'), int64(from+i), 10)
	}
	return string(append(b, ')'))
}

func flat(rows [][]any) (out []any) {
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

func because(op string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}
