package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// person adds an account.
func (f *fixture) person(u store.User) store.User {
	f.t.Helper()
	if u.ID == "" {
		u.ID = store.RandomText(12)
	}
	f.no(f.db.CreateUser(f.ctx(), u, store.Event{Kind: "user.created", User: u.ID}))
	u, err := f.db.User(f.ctx(), u.ID)
	f.no(err)
	return u
}

func testUsers(t *testing.T, f *fixture) {
	want := store.User{ID: "abcdefghijkl", Email: "ada@example.com", Name: "Ada", Username: "Ada_L", Avatar: "https://example.com/a.png",
		Profile:    store.Profile{GivenName: "Ada", Address: &store.ProfileAddress{Country: "UK"}},
		CustomData: json.RawMessage(`{"plan":"free"}`), Client: "bookstore"}
	u := f.person(want)
	want.CreatedAt, want.UpdatedAt = u.CreatedAt, u.UpdatedAt
	if !reflect.DeepEqual(u, want) {
		t.Errorf("got %+v, want %+v", u, want)
	}
	if byEmail, err := f.db.UserByEmail(f.ctx(), "ada@example.com"); err != nil || byEmail.ID != u.ID {
		t.Error(byEmail, err)
	}
	_, err := f.db.User(f.ctx(), "nobody")
	f.want(err, store.NotFound)

	// What is unique, and which it is.
	bob := f.person(store.User{Email: "bob@example.com"})
	for field, change := range map[string]func(*store.User){
		"primaryEmail": func(u *store.User) { u.Email = "ada@example.com" },
		"username":     func(u *store.User) { u.Username = "Ada_L" },
	} {
		other := bob
		change(&other)
		_, err := f.db.UpdateUser(f.ctx(), other, bob.UpdatedAt, store.Event{Kind: "user.updated", User: bob.ID})
		f.want(err, store.Conflict)
		if other.ID = store.RandomText(12); field != "primaryEmail" {
			other.Email = "c@example.com"
		}
		created := f.db.CreateUser(f.ctx(), other)
		f.want(created, store.Conflict)
		for _, err := range []error{err, created} {
			if !strings.Contains(err.Error(), field) {
				t.Errorf("%s is not named: %v", field, err)
			}
		}
	}
	f.want(f.db.CreateUser(f.ctx(), store.User{ID: bob.ID, Email: "c@example.com"}), store.Conflict)

	// Versions.
	changed := u
	changed.Email, changed.Name, changed.Username, changed.Profile, changed.CustomData = "ada@new.example", "", "", store.Profile{}, nil
	at, err := f.db.UpdateUser(f.ctx(), changed, u.UpdatedAt, store.Event{Kind: "user.updated", User: u.ID})
	f.no(err)
	now, err := f.db.User(f.ctx(), u.ID)
	f.no(err)
	changed.UpdatedAt = at
	if !reflect.DeepEqual(now, changed) || !at.After(u.UpdatedAt) {
		t.Errorf("got %+v, want %+v", now, changed)
	}
	_, err = f.db.UpdateUser(f.ctx(), changed, u.UpdatedAt)
	f.want(err, store.Changed)
	_, err = f.db.UpdateUser(f.ctx(), store.User{ID: "nobody"}, u.UpdatedAt)
	f.want(err, store.NotFound)
	_, err = f.db.SuspendUser(f.ctx(), u.ID, true, u.UpdatedAt)
	f.want(err, store.Changed)
	f.want(f.db.DeleteUser(f.ctx(), u.ID, u.UpdatedAt, store.Traces{}), store.Changed)
	f.want(f.db.DeleteUser(f.ctx(), "nobody", time.Time{}, store.Traces{}), store.NotFound)
	f.no(f.db.DeleteUser(f.ctx(), u.ID, at, store.Traces{}, store.Event{Kind: "user.deleted", User: u.ID}))
	_, err = f.db.User(f.ctx(), u.ID)
	f.want(err, store.NotFound)
	for kind, n := range map[string]int{"user.created": 2, "user.updated": 1, "user.deleted": 1} {
		if told := f.count(`SELECT COUNT(*) FROM event WHERE kind = $1`, kind); told != n {
			t.Errorf("%d entries %s, want %d", told, kind, n)
		}
	}
}

// Who is suspended or deleted is out at once, on every replica, and nothing from before
// comes back.
func testUserOut(t *testing.T, f *fixture) {
	other := f.replica()
	m := f.family("ada@example.com", true)
	f.count(`SELECT COUNT(*) FROM session WHERE user_id = $1`, m.user)
	if u, err := f.db.User(f.ctx(), m.user); err != nil || u.SignedIn.IsZero() || u.Client != "bookstore" {
		t.Errorf("when they signed in, or in which app they registered, is not told: %+v %v", u, err)
	}
	// An id may be older than others, and tell of something later.
	later := f.db.Now().Add(time.Hour)
	f.exec(`INSERT INTO event (id, at, kind, user_id, client_id) VALUES ($1, $2, 'user.signed_in', $3, '')`, make([]byte, 16), later.UnixMicro(), m.user)
	if u, err := f.db.User(f.ctx(), m.user); err != nil || !u.SignedIn.Equal(later) {
		t.Errorf("signed in last at %v, not %v; %v", u.SignedIn, later, err)
	}
	session := completion(m.n).Session.Hash
	m.ok(m.refresh(0), 0)
	grants, err := f.db.Grants(f.ctx(), m.user)
	f.no(err)
	if len(grants) != 1 || grants[0].ID != m.grant || grants[0].ClientName != "Bookstore" || !grants[0].Offline || grants[0].ExpiresAt.IsZero() {
		t.Errorf("%+v", grants)
	}

	_, err = f.db.SuspendUser(f.ctx(), m.user, true, time.Time{}, store.Event{Kind: "user.suspended", User: m.user})
	f.no(err)
	_, err = other.Session(f.ctx(), session, m.n.Browser)
	f.want(err, store.NotFound)
	_, err = other.RefreshGrant(f.ctx(), m.refresh(1))
	f.want(err, store.NotFound)
	u, err := other.User(f.ctx(), m.user)
	f.no(err)
	if u.SuspendedAt.IsZero() {
		t.Error("not suspended")
	}
	again, err := f.db.SuspendUser(f.ctx(), m.user, true, time.Time{})
	f.no(err)
	if now, err := f.db.User(f.ctx(), m.user); err != nil || !now.SuspendedAt.Equal(u.SuspendedAt) || !now.UpdatedAt.Equal(again) {
		t.Errorf("suspended twice: %+v %v", now, err)
	}
	_, err = f.db.SuspendUser(f.ctx(), m.user, false, time.Time{}, store.Event{Kind: "user.reinstated", User: m.user})
	f.no(err)
	_, err = other.Session(f.ctx(), session, m.n.Browser)
	f.want(err, store.NotFound)
	_, err = other.RefreshGrant(f.ctx(), m.refresh(1))
	f.want(err, store.NotFound)

	m = f.family("bob@example.com", true)
	n := m.n
	f.exec(`UPDATE mail SET address = $1`, n.Address[:]) // as a record of a mail that the account was made by
	f.exec(`INSERT INTO device (address, browser, expires_at) VALUES ($1, $1, 1)`, n.Address[:])
	f.exec(`INSERT INTO user_key (user_id, sealed, created_at) VALUES ($1, $2, 0)`, m.user, []byte("key"))
	f.exec(`INSERT INTO one_time_token (id, email, hash, context, created_at, expires_at) VALUES ('t', 'bob@example.com', $1, '{}', 0, 0)`, n.Address[:])
	f.want(f.db.RevokeGrant(f.ctx(), "nobody", m.grant), store.NotFound)
	traces := store.Traces{Codes: [2]store.Hash{n.Address}, Mails: [2]store.Hash{n.Address}}
	f.no(f.db.DeleteUser(f.ctx(), m.user, time.Time{}, traces, store.Event{Kind: "user.deleted", User: m.user}))
	_, err = other.Session(f.ctx(), completion(n).Session.Hash, n.Browser)
	f.want(err, store.NotFound)
	_, err = other.RefreshGrant(f.ctx(), m.refresh(0))
	f.want(err, store.NotFound)
	for table, which := range map[string]string{"session": "user_id = $1", "auth_code": "user_id = $1", "oidc_grant": "user_id = $1", "user_key": "user_id = $1",
		"user_role": "user_id = $1", "one_time_token": "id <> $1", "mail": "usage <> $1", "challenge": "expires_at > 0 AND CAST($1 AS TEXT) <> ''", "device": "expires_at = 1 AND CAST($1 AS TEXT) <> ''"} {
		if rows := f.count(`SELECT COUNT(*) FROM `+table+` WHERE `+which, m.user); rows != 0 {
			t.Errorf("%d rows left in %s", rows, table)
		}
	}
}

func testRevokeGrant(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	f.want(f.db.RevokeGrant(f.ctx(), "nobody", m.grant), store.NotFound)
	f.no(f.db.RevokeGrant(f.ctx(), m.user, m.grant, store.Event{Kind: "grant.revoked", User: m.user}))
	f.want(f.db.RevokeGrant(f.ctx(), m.user, m.grant), store.NotFound)
	_, err := f.db.RefreshGrant(f.ctx(), m.refresh(0))
	f.want(err, store.NotFound)
	if left, err := f.db.Grants(f.ctx(), m.user); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
	f.no(f.db.EndSessions(f.ctx(), store.Ending{User: m.user, Told: []store.Event{{Kind: "session.revoked", User: m.user, Actor: "client:c"}}}))
	if told := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'session.revoked' AND actor = 'client:c' AND user_id = $1`, m.user); told != 1 {
		t.Errorf("%d entries", told)
	}
}

// People sign in, are suspended and go, all at once: nothing but the codes that are
// documented comes of it.
func testUserRaces(t *testing.T, f *fixture) {
	dbs := []*sqlstore.DB{f.db, f.replica()}
	for round := range 8 {
		email := store.Email(fmt.Sprintf("p%d@example.com", round))
		m := f.family(email, true)
		f.parallel(16, dbs, func(i int, db *sqlstore.DB) {
			var err error
			switch i % 5 {
			case 0:
				n := f.begin(email)
				n.Purpose = store.PurposeSignIn
				if _, err = db.BeginChallenge(f.ctx(), n); err == nil {
					_, err = db.CompleteChallenge(f.ctx(), guess(n, 1), completion(n))
				}
			case 1:
				c := completion(m.n)
				c.Code.Hash = random()
				if _, err = db.CompleteSession(f.ctx(), c.Session.Hash, m.n.Browser, c); err == nil {
					r := redemption(m.n)
					r.Code = c.Code.Hash
					_, err = db.RedeemCode(f.ctx(), r)
				}
			case 2:
				_, err = db.RefreshGrant(f.ctx(), m.refresh(0))
			case 3:
				_, err = db.SuspendUser(f.ctx(), m.user, i%2 == 0, time.Time{})
			case 4:
				err = db.DeleteUser(f.ctx(), m.user, time.Time{}, store.Traces{})
			}
			if code := store.CodeOf(err); err != nil && code != store.NotFound && code != store.Used && code != store.Conflict {
				t.Errorf("%d: %v", i%5, err)
			}
		})
		if _, err := f.db.User(f.ctx(), m.user); store.CodeOf(err) != store.NotFound {
			t.Error(err)
		}
	}
}

func testUserSearch(t *testing.T, f *fixture) {
	var all []string
	for i, u := range []store.User{
		{ID: "idOfAda", Email: "ada@example.com", Name: "Zoë", Username: "first"},
		{ID: "idOfAdam", Email: "adam@example.com", Name: "Ada 100%"},
		{ID: "idOfBob", Email: "bob_b@example.com", Name: "ADA", Username: "Adabob"},
		{ID: "idOfEve", Email: "eve@ada.example", Username: "zoe"},
	} {
		f.db.AdvanceForTest(time.Duration(i) * time.Millisecond)
		all = append(all, f.person(u).ID)
	}
	slices.Reverse(all)
	find := func(q store.UserQuery) (ids []string, total int) {
		t.Helper()
		if q.Limit == 0 {
			q.Limit = 10
		}
		page, err := f.db.Users(f.ctx(), q)
		f.no(err)
		for _, u := range page.Users {
			ids = append(ids, u.ID)
		}
		return ids, page.Total
	}
	anywhere := func(pattern string) []store.UserTerm { return []store.UserTerm{{Pattern: pattern}} }
	for name, c := range map[string]struct {
		q    store.UserQuery
		want []string
	}{
		"all":                  {store.UserQuery{}, all},
		"like anything":        {store.UserQuery{Terms: anywhere("%%")}, all},
		"begins":               {store.UserQuery{Terms: anywhere("ada%")}, []string{"idOfAda", "idOfAdam", "idOfBob"}},
		"upper case":           {store.UserQuery{Terms: anywhere("ADA%")}, []string{"idOfAda", "idOfAdam", "idOfBob"}},
		"name":                 {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserName, Pattern: "ada%"}}}, []string{"idOfBob", "idOfAdam"}},
		"another letter":       {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserName, Pattern: "zoË"}}}, []string{"idOfAda"}},
		"username":             {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserUsername, Pattern: "ADA%"}}}, []string{"idOfBob"}},
		"address":              {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "Ada@example.com"}}}, []string{"idOfAda"}},
		"no wildcard _":        {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "ada_%"}}}, nil},
		"_ for itself":         {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "%b_b%"}}}, []string{"idOfBob"}},
		"id":                   {store.UserQuery{Terms: anywhere("idOfEve")}, []string{"idOfEve"}},
		"id begins":            {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserID, Pattern: "idOf%"}}}, all},
		"within":               {store.UserQuery{Terms: anywhere("%ada%")}, all},
		"within and 100":       {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "%ada%"}, {Field: store.UserName, Pattern: "%100%"}}, All: true}, []string{"idOfAdam"}},
		"either":               {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "eve@%"}, {Field: store.UserName, Pattern: "zo%"}}}, []string{"idOfEve", "idOfAda"}},
		"nobody":               {store.UserQuery{Terms: anywhere("x%")}, nil},
		"% for itself":         {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserName, Pattern: "ada 100%", Exact: true}}}, []string{"idOfAdam"}},
		"% within, for itself": {store.UserQuery{Terms: []store.UserTerm{{Pattern: "%" + "a%", Exact: true}}}, nil},
		"quotes":               {store.UserQuery{Terms: anywhere(`%'; --\%`)}, nil},
		"both of the same":     {store.UserQuery{Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "ada%"}, {Field: store.UserEmail, Pattern: "adam%"}}}, []string{"idOfAda", "idOfAdam"}},
	} {
		if ids, total := find(c.q); !slices.Equal(ids, c.want) || total != len(c.want) {
			t.Errorf("%s: got %v of %d, want %v", name, ids, total, c.want)
		}
		for i := range c.want { // one by one, over the seams between indexes
			q := c.q
			q.Offset, q.Limit = i, 1
			if ids, total := find(q); !slices.Equal(ids, c.want[i:i+1]) || total != len(c.want) {
				t.Errorf("%s, %d: got %v of %d, want %v", name, i, ids, total, c.want[i])
			}
		}
	}
	var after store.UserCursor
	for i := range all {
		page, err := f.db.Users(f.ctx(), store.UserQuery{After: after, Limit: 1})
		f.no(err)
		if len(page.Users) != 1 || page.Users[0].ID != all[i] {
			t.Fatalf("%d: %+v", i, page)
		}
		after = store.UserCursor{CreatedAt: page.Users[0].CreatedAt, ID: page.Users[0].ID}
	}
	_, err := f.db.Users(f.ctx(), store.UserQuery{Offset: store.MaxCount + 1, Limit: 1})
	f.want(err, store.Invalid)
}

// people makes n accounts, u1 to un.
func (f *fixture) people(n int) {
	f.t.Helper()
	f.exec(`
		INSERT INTO users (id, email, name, name_key, username, created_at, updated_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		SELECT 'u' || i, 'p' || i || '@example.com', 'Name ' || i, 'name ' || i, 'User' || i, i, i FROM n`, n)
	f.exec(`ANALYZE`)
}

// explained is an engine that asks how each query is answered that it wants to know of.
type explained struct {
	sqlstore.Engine
	plans *[]string
	wants func(query string) bool
	mu    *sync.Mutex // the server asks for its clock meanwhile
}

// ofPeople are queries on people that have something to look for, or an order.
func ofPeople(query string) bool {
	return strings.Contains(query, "FROM users") && !strings.Contains(query, "event") && (strings.Contains(query, "WHERE") || strings.Contains(query, "ORDER BY"))
}

// Read implements [sqlstore.Engine].
func (e explained) Read(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) error {
	if e.wants(query) {
		if err := e.explain(ctx, query, args); err != nil {
			return err
		}
	}
	return e.Engine.Read(ctx, query, args, row)
}

// explain notes the plan of a statement, which is not run.
func (e explained) explain(ctx context.Context, query string, args []any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.SkipLocked() == "" { // SQLite
		return e.Engine.Read(ctx, "EXPLAIN QUERY PLAN "+query, args, func(scan func(...any) error) error {
			var id, parent, none int
			var line string
			err := scan(&id, &parent, &none, &line)
			*e.plans = append(*e.plans, line)
			return err
		})
	}
	return e.Engine.Read(ctx, "EXPLAIN "+query, args, func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		*e.plans = append(*e.plans, line)
		return err
	})
}

// Pages of many people, and what they are found by, lie along indexes: no query reads the
// table, nor sorts it.
func testUserIndexes(t *testing.T, f *fixture) {
	f.people(20_000)
	var plans []string
	db := start(t, func() sqlstore.Engine { return explained{f.open(), &plans, ofPeople, new(sync.Mutex)} })
	term := func(field store.UserField, pattern string) []store.UserTerm {
		return []store.UserTerm{{Field: field, Pattern: pattern}}
	}
	for name, c := range map[string]struct {
		q     store.UserQuery
		index string
	}{
		"the newest":     {store.UserQuery{}, "users_created"},
		"far in":         {store.UserQuery{Offset: 9_000}, "users_created"},
		"behind another": {store.UserQuery{After: store.UserCursor{CreatedAt: time.UnixMicro(300), ID: "u300"}}, "users_created"},
		"address":        {store.UserQuery{Terms: term(store.UserEmail, "p77%")}, "users"}, // of the UNIQUE, which each engine names in its way
		"username":       {store.UserQuery{Terms: term(store.UserUsername, "user77%")}, "users_username_key"},
		"name":           {store.UserQuery{Terms: term(store.UserName, "name 77%")}, "users_name"},
		"anything":       {store.UserQuery{Terms: term(store.AnyUserField, "p77%")}, "users_name"},
	} {
		plans = nil
		c.q.Limit = 20
		_, err := db.Users(f.ctx(), c.q)
		f.no(err)
		plan := strings.Join(plans, "\n")
		if !strings.Contains(plan, c.index) {
			t.Errorf("%s: the index %s is not used:\n%s", name, c.index, plan)
		}
		for _, line := range plans {
			whole := strings.Contains(line, "Seq Scan on users") || strings.HasPrefix(line, "SCAN u") && !strings.Contains(line, "USING")
			sorted := strings.Contains(line, "Sort Key") || strings.Contains(line, "TEMP B-TREE FOR ORDER")
			if whole || sorted {
				t.Errorf("%s: %s, in:\n%s", name, line, plan)
			}
		}
	}
}

// Where there are many people, what an index answers is answered, counted to the limit,
// and the rest is refused.
func testManyUsers(t *testing.T, f *fixture) {
	f.people(store.MaxCount + 1)
	page, err := f.db.Users(f.ctx(), store.UserQuery{Limit: 2, Offset: store.MaxCount})
	f.no(err)
	if page.Total != store.MaxCount+1 || len(page.Users) != 1 || page.Users[0].ID != "u1" {
		t.Errorf("%+v", page)
	}
	page, err = f.db.Users(f.ctx(), store.UserQuery{Limit: 2, Terms: []store.UserTerm{{Pattern: "p77%"}}})
	f.no(err)
	if page.Total != 111 || len(page.Users) != 2 || page.Users[0].ID != "u7700" || page.Users[1].ID != "u7701" {
		t.Errorf("%+v", page)
	}
	for _, q := range []store.UserQuery{
		{Terms: []store.UserTerm{{Pattern: "%77%"}}},
		{Terms: []store.UserTerm{{Field: store.UserID, Pattern: "u77%"}}},
		{Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "p77%"}, {Field: store.UserName, Pattern: "a%"}}, All: true},
	} {
		q.Limit = 2
		_, err = f.db.Users(f.ctx(), q)
		f.want(err, store.Invalid)
	}
}
