package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
)

func newcomer(n int) store.Import {
	return store.Import{User: store.User{ID: fmt.Sprintf("imported%04d", n), Email: store.Email(fmt.Sprintf("p%d@example.com", n))}}
}

func testImport(t *testing.T, f *fixture) {
	f.exec(`INSERT INTO role (id, name, description, type, is_default, created_at, updated_at) VALUES ('reader', 'Reader', '', 'User', 0, 0, 0)`)
	born := time.UnixMicro(1_600_000_000_123_000).UTC()
	ada := store.Import{Roles: []string{"gone", "reader"}, User: store.User{ID: "imported0000", Email: "ada@example.com", Name: "Ada “½” 日本", Username: "ada",
		Avatar: "https://example.com/a.png", CreatedAt: born, SuspendedAt: f.db.Now(), CustomData: json.RawMessage(`{"a":[1]}`),
		Profile: store.Profile{GivenName: "Ada"}}}
	people := []store.Import{ada}
	var told []store.Event
	for n := 1; n < 300; n++ { // several statements
		people = append(people, newcomer(n))
		told = append(told, store.Event{Kind: "user.imported", Actor: "command", User: people[n].ID})
	}
	f.no(f.db.ImportUsers(f.ctx(), people, told...))
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'user.imported'`); n != 299 {
		t.Errorf("%d entries", n)
	}
	found, err := f.db.UsersLike(f.ctx(), []store.Import{{User: store.User{ID: "nobody", Email: "nobody@example.com", Username: "ada"}}, people[7],
		{User: store.User{Email: people[8].Email}}})
	f.no(err)
	byID := map[string]store.Import{}
	for _, p := range found {
		byID[p.ID] = p
	}
	ada.Roles = []string{"reader"}
	got, _ := json.Marshal(byID[ada.ID])
	want, _ := json.Marshal(ada)
	if len(found) != 3 || string(got) != string(want) || byID[people[8].ID].CreatedAt.IsZero() {
		t.Errorf("read back\n%s, want\n%s; %d", got, want, len(found))
	}
	rest, err := f.db.UsersFrom(f.ctx(), people[297].ID, 10)
	f.no(err)
	if len(rest) != 2 || rest[1].ID != people[299-1].ID && rest[0].ID != people[298].ID {
		t.Errorf("behind the 298th: %+v", rest)
	}
	// One that is taken keeps all from being written.
	for name, taken := range map[string]store.Import{
		"id": {User: store.User{ID: ada.ID, Email: "new@example.com"}}, "address": {User: store.User{ID: "imported9999", Email: ada.Email}},
		"username": {User: store.User{ID: "imported9999", Email: "new@example.com", Username: "ada"}},
	} {
		err := f.db.ImportUsers(f.ctx(), []store.Import{newcomer(5000), taken}, store.Event{Kind: "user.half", User: "x"})
		if store.CodeOf(err) != store.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Nor does an owner's account come suspended, whoever became one since that was looked at.
	f.no(f.db.AddOperator(f.ctx(), "boss@example.com", store.RoleOwner))
	boss := newcomer(6000)
	boss.Email, boss.SuspendedAt = "boss@example.com", f.db.Now()
	f.want(f.db.ImportUsers(f.ctx(), []store.Import{newcomer(5000), boss}, store.Event{Kind: "user.half", User: "x"}), store.Conflict)
	if n := f.count(`SELECT COUNT(*) FROM users`) + f.count(`SELECT COUNT(*) FROM event WHERE kind = 'user.half'`); n != 300 {
		t.Errorf("%d people and entries", n)
	}
}

// Two imports of the same people at once: each is made once.
func testImportRaces(t *testing.T, f *fixture) {
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 20 {
				switch err := f.db.ImportUsers(f.ctx(), []store.Import{newcomer(2 * n), newcomer(2*n + 1)}); store.CodeOf(err) {
				case store.Conflict:
				default:
					f.no(err)
					made.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := f.count(`SELECT COUNT(*) FROM users`); n != 40 || made.Load() != 20 {
		t.Errorf("%d people in %d imports", n, made.Load())
	}
}
