package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"idp/store"
)

// Users gives a page of people. The error is [store.Invalid] if what is asked for takes
// reading all of them, and they are more than [store.MaxCount].
//
// No query reads more than some tens of thousands of rows, however many there are: pages
// lie along an index and end MaxCount in, what is found is counted no further, and
// patterns that no index answers are refused where there are many people.
func (db *DB) Users(ctx context.Context, q store.UserQuery) (store.UserPage, error) {
	const op = "list users"
	if q.Offset < 0 || q.Offset > store.MaxCount || q.Limit < 1 {
		return store.UserPage{}, store.InvalidField(op, "page", fmt.Sprintf("reaches no further than %d; go on from the page before", store.MaxCount))
	}
	branches, scan := branchesOf(q)
	if scan != nil {
		if err := db.needFew(ctx, op, scan); err != nil {
			return store.UserPage{}, err
		}
	}
	var page store.UserPage
	for _, b := range branches {
		total, err := db.countUsers(ctx, b)
		if err != nil {
			return store.UserPage{}, err
		}
		skip, left := max(0, q.Offset-page.Total), q.Limit-len(page.Users)
		if page.Total += total; left > 0 && skip < total {
			if err := db.readUsers(ctx, b, q.After, skip, left, &page.Users); err != nil {
				return store.UserPage{}, err
			}
		}
		if page.Total > store.MaxCount {
			page.Total = store.MaxCount + 1
			break
		}
	}
	return page, db.addSignIns(ctx, page.Users)
}

// UsersByID reads these people, some hundred at most, in the order that they are asked for.
// Who is not there is left out; when they signed in last is not told.
func (db *DB) UsersByID(ctx context.Context, ids []string) ([]store.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var w where
	args := make([]string, len(ids))
	for i, id := range ids {
		args[i] = w.arg(id)
	}
	found := make(map[string]store.User, len(ids))
	err := db.engine.Read(ctx, `SELECT `+userColumns+` FROM users AS u WHERE u.id IN (`+strings.Join(args, ", ")+`)`, w.args, func(scan func(...any) error) error {
		var u store.User
		err := scan(userInto(&u)...)
		found[u.ID] = u
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	out := make([]store.User, 0, len(found))
	for _, id := range ids {
		if u, ok := found[id]; ok {
			out = append(out, u)
		}
	}
	return out, nil
}

// needFew lets a search through that reads all people, if they are not too many.
func (db *DB) needFew(ctx context.Context, op string, why error) error {
	people, err := db.countUsers(ctx, branch{})
	if err == nil && people > store.MaxCount {
		return &store.Error{Code: store.Invalid, Op: op, Err: why}
	}
	return err
}

// countUsers counts up to one more than MaxCount. (The number is in the statement for the
// reason that [reach] has.)
func (db *DB) countUsers(ctx context.Context, b branch) (n int, err error) {
	err = db.one(ctx, "count users", `SELECT COUNT(*) FROM (SELECT 1 FROM users`+b.where.String()+` LIMIT `+strconv.Itoa(store.MaxCount+1)+`) AS counted`, b.where.args, &n)
	return n, err
}

func (db *DB) readUsers(ctx context.Context, b branch, after store.UserCursor, skip, limit int, out *[]store.User) error {
	w, order := b.where, b.order
	if order == "" {
		order = `created_at DESC, id DESC`
		if !after.CreatedAt.IsZero() {
			w.parts = append(w.parts, `(created_at, id) < (`+w.arg(after.CreatedAt.UnixMicro())+`, `+w.arg(after.ID)+`)`)
		}
	}
	from, page := w.String()+` ORDER BY `+order, ` LIMIT `+w.arg(limit)+` OFFSET `+w.arg(skip)
	if skip > 0 && order == userKeys[store.UserEmail].order { // who is passed over is read in the index only: their rows lie all over the table
		from = ` WHERE u.email IN (SELECT email FROM (SELECT email FROM users` + from + ` LIMIT ` + reach(skip+limit) + `) AS reached ORDER BY email` + page + `)
			ORDER BY email`
	} else {
		from += page
	}
	err := db.engine.Read(ctx, `SELECT `+userColumns+` FROM users AS u`+from, w.args,
		func(scan func(...any) error) error {
			var u store.User
			err := scan(userInto(&u)...)
			*out = append(*out, u)
			return err
		})
	if err != nil {
		return fmt.Errorf("list users: %w", err)
	}
	return nil
}

// addSignIns adds when people signed in last. It is a query of its own since a page further in
// would ask that also of all who are passed over.
func (db *DB) addSignIns(ctx context.Context, users []store.User) error {
	if len(users) == 0 {
		return nil
	}
	var w where
	at := make(map[string]*store.User, len(users))
	ids := make([]string, len(users))
	for i := range users {
		at[users[i].ID], ids[i] = &users[i], w.arg(users[i].ID)
	}
	err := db.engine.Read(ctx, `SELECT u.id, `+signedIn+` FROM users AS u WHERE u.id IN (`+strings.Join(ids, ", ")+`)`, w.args, func(scan func(...any) error) error {
		var u store.User
		if err := scan(&u.ID, into(&u.SignedIn)); err != nil {
			return err
		}
		at[u.ID].SignedIn = u.SignedIn
		return nil
	})
	if err != nil {
		return fmt.Errorf("read last sign-ins: %w", err)
	}
	return nil
}

// branch is a part of a list that lies along one index.
type branch struct {
	where where
	order string // "": the newest first
}

// key is how a field is found: the expression that an index is on, what else the index
// asks for, and the order of it.
type key struct{ expression, also, order string }

var userKeys = map[store.UserField]key{
	store.UserEmail:    {"email", "", "email"},
	store.UserUsername: {"lower(username)", "username IS NOT NULL AND ", "lower(username)"},
	store.UserName:     {"name_key", "name_key IS NOT NULL AND ", "name_key, id"},
	store.UserID:       {"id", "", "id"},
}

var anyUserField = []store.UserField{store.UserEmail, store.UserUsername, store.UserName, store.UserID}

// branchesOf says how a query is answered. scan is not nil if that takes reading all
// people, and says what would not.
func branchesOf(q store.UserQuery) (branches []branch, scan error) {
	var terms []store.UserTerm
	for _, t := range q.Terms {
		if t.Exact || strings.Trim(t.Pattern, "%") != "" { // anybody is like %
			terms = append(terms, t)
		}
	}
	if len(terms) == 0 {
		return []branch{{}}, nil
	}
	if q.All && len(terms) > 1 {
		return scanOf(terms, " AND "), errors.New("search for one thing at a time: there are more than " + strconv.Itoa(store.MaxCount) + " people, and no index is on several fields together")
	}
	for _, t := range terms {
		text := strings.TrimRight(t.Pattern, "%")
		if !t.Exact && (strings.Contains(text, "%") || t.Field == store.UserID && text != t.Pattern) {
			return scanOf(terms, " OR "), errors.New("search by how it begins, as in ada%: there are more than " + strconv.Itoa(store.MaxCount) + " people, and no index is on what is within a text, nor on parts of ids")
		}
	}
	return indexed(terms), nil
}

// scanOf answers with one list of all people that match.
func scanOf(terms []store.UserTerm, joint string) []branch {
	var b branch
	var parts []string
	for _, t := range terms {
		pattern := b.where.arg(wildcards(t))
		fields := anyUserField
		if t.Field != store.AnyUserField {
			fields = []store.UserField{t.Field}
		}
		var one []string
		for _, f := range fields {
			one = append(one, "lower("+userKeys[f].expression+`) LIKE `+pattern+` ESCAPE '\'`)
		}
		parts = append(parts, "("+strings.Join(one, " OR ")+")")
	}
	b.where.parts = []string{"(" + strings.Join(parts, joint) + ")"}
	return []branch{b}
}

// indexed answers with a list for each index, each less what is in those before it. (It
// passes over at most that many: where the lists before are long, it is not read.)
func indexed(terms []store.UserTerm) []branch {
	var found []lookup
	for _, field := range anyUserField {
		for _, t := range terms {
			l := lookup{field: field, text: t.Pattern}
			if !t.Exact {
				l.text, l.prefix = strings.TrimRight(t.Pattern, "%"), strings.HasSuffix(t.Pattern, "%")
			}
			if (t.Field == field || t.Field == store.AnyUserField) && !(field == store.UserID && l.prefix) {
				found = append(found, l)
			}
		}
	}
	var out []branch
	for i, l := range found {
		b := branch{order: userKeys[l.field].order}
		b.where.parts = append(b.where.parts, l.condition(&b.where))
		for _, before := range found[:i] {
			b.where.parts = append(b.where.parts, "NOT "+before.condition(&b.where))
		}
		out = append(out, b)
	}
	return out
}

// lookup is one thing that an index answers: what is text, or begins with it.
type lookup struct {
	field  store.UserField
	text   string
	prefix bool
}

func (l lookup) condition(w *where) string {
	k, text := userKeys[l.field], l.text
	if l.field != store.UserID {
		text = strings.ToLower(text)
	}
	if !l.prefix {
		return "(" + k.also + k.expression + " = " + w.arg(text) + ")"
	}
	const last = "\U0010ffff" // no text goes on with a greater character
	return "(" + k.also + k.expression + " >= " + w.arg(text) + " AND " + k.expression + " < " + w.arg(text+last) + ")"
}

// wildcards is a term as a pattern of LIKE, in which nothing but % is not itself.
func wildcards(t store.UserTerm) string {
	pairs := []string{`\`, `\\`, `_`, `\_`}
	if t.Exact {
		pairs = append(pairs, `%`, `\%`)
	}
	return strings.NewReplacer(pairs...).Replace(strings.ToLower(t.Pattern))
}
