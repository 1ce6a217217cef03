package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

func testOwners(t *testing.T, f *fixture) {
	ada := store.User{ID: "adaadaadaada", Email: "ada@example.com"}
	f.no(f.db.CreateUser(f.ctx(), ada))
	f.no(f.db.AddOperator(f.ctx(), ada.Email, store.RoleOwner, store.Event{Kind: "owner.added"}))
	f.want(f.db.AddOperator(f.ctx(), ada.Email, store.RoleOwner, store.Event{Kind: "owner.added"}), store.Conflict)
	f.want(f.db.RemoveOperator(f.ctx(), "bob@example.com"), store.NotFound)
	suspend := func(id string, yes bool) error {
		_, err := f.db.SuspendUser(f.ctx(), id, yes, time.Time{}, store.Event{Kind: "user.suspended"})
		return err
	}
	remove := func(id string) error {
		return f.db.DeleteUser(f.ctx(), id, time.Time{}, store.Traces{}, store.Event{Kind: "user.deleted"})
	}
	// The last one stays.
	f.want(f.db.RemoveOperator(f.ctx(), ada.Email, store.Event{Kind: "owner.removed"}), store.InUse)
	f.want(suspend(ada.ID, true), store.InUse)
	f.want(remove(ada.ID), store.InUse)
	f.want(suspend("nobody", true), store.NotFound)
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind <> 'owner.added'`); n != 0 {
		t.Errorf("%d entries of what did not happen", n)
	}
	// Addresses of owners stay where they are.
	f.no(f.db.AddOperator(f.ctx(), "bob@example.com", store.RoleOwner))
	eve := store.User{ID: "eveeveeveeve", Email: "eve@example.com"}
	f.no(f.db.CreateUser(f.ctx(), eve))
	for name, change := range map[string]store.User{
		"an owner's to another": {ID: ada.ID, Email: "new@example.com"}, "another's to an owner's": {ID: eve.ID, Email: "bob@example.com"},
	} {
		was, err := f.db.User(f.ctx(), change.ID)
		f.no(err)
		_, err = f.db.UpdateUser(f.ctx(), change, was.UpdatedAt)
		var field *store.FieldError
		if store.CodeOf(err) != store.Invalid || !errors.As(err, &field) || field.Field != string(store.UserEmail) {
			t.Errorf("%s: %v", name, err)
		}
	}
	was, err := f.db.User(f.ctx(), ada.ID)
	f.no(err)
	was.Name = "Ada"
	_, err = f.db.UpdateUser(f.ctx(), was, was.UpdatedAt)
	f.no(err)
	// With another one who need not have registered, the rest may go; a suspended one does not count.
	f.no(f.db.CreateUser(f.ctx(), store.User{ID: "bobbobbobbob", Email: "bob@example.com"}))
	f.no(suspend("bobbobbobbob", true))
	f.want(suspend(ada.ID, true), store.InUse)
	f.want(f.db.RemoveOperator(f.ctx(), ada.Email), store.InUse)
	f.no(suspend("bobbobbobbob", false))
	f.no(remove(ada.ID))
	owners, err := f.replica().Operators(f.ctx())
	f.no(err)
	if len(owners) != 1 || owners[0].Email != "bob@example.com" || owners[0].User != "bobbobbobbob" || owners[0].CreatedAt.IsZero() || !owners[0].SuspendedAt.IsZero() {
		t.Errorf("%+v", owners)
	}
	f.want(f.db.RemoveOperator(f.ctx(), "bob@example.com"), store.InUse)
}

// Owners who remove, suspend and delete one another at once leave one.
func testOwnerRaces(t *testing.T, f *fixture) {
	const all = 9
	for n := range all {
		email := store.Email(fmt.Sprintf("o%d@example.com", n))
		f.no(f.db.CreateUser(f.ctx(), store.User{ID: fmt.Sprintf("owner%07d", n), Email: email}))
		f.no(f.db.AddOperator(f.ctx(), email, store.RoleOwner))
	}
	var gone atomic.Int64
	f.parallel(all, []*sqlstore.DB{f.db, f.replica()}, func(n int, db *sqlstore.DB) {
		id := fmt.Sprintf("owner%07d", n)
		var err error
		switch n % 3 {
		case 0:
			err = db.RemoveOperator(f.ctx(), store.Email(fmt.Sprintf("o%d@example.com", n)))
		case 1:
			_, err = db.SuspendUser(f.ctx(), id, true, time.Time{})
		case 2:
			err = db.DeleteUser(f.ctx(), id, time.Time{}, store.Traces{})
		}
		switch store.CodeOf(err) {
		case store.InUse:
		default:
			f.no(err)
			gone.Add(1)
		}
	})
	left := f.count(`SELECT COUNT(*) FROM owner WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.email = owner.email AND suspended_at IS NOT NULL)`)
	if gone.Load() != all-1 || left != 1 {
		t.Errorf("%d of %d are gone, %d are left", gone.Load(), all, left)
	}
}

// Somebody is suspended while they become an owner and the one before is removed: whichever
// is first, one is left.
func testOwnerAddedDuringSuspension(t *testing.T, f *fixture) {
	holder := f.open()
	defer func() { _ = holder.Close() }()
	if holder.SkipLocked() == "" {
		t.Skip("SQLite has one writer at a time")
	}
	f.no(f.db.CreateUser(f.ctx(), store.User{ID: "adaadaadaada", Email: "ada@example.com"}))
	f.no(f.db.CreateUser(f.ctx(), store.User{ID: "bobbobbobbob", Email: "bob@example.com"}))
	f.no(f.db.AddOperator(f.ctx(), "ada@example.com", store.RoleOwner))
	held, suspended := make(chan struct{}), make(chan struct{})
	const ofRow = ` FROM pg_locks AS l WHERE l.relation = 'users'::regclass AND l.mode = 'RowExclusiveLock'`
	f.parallel(3, []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
		switch i {
		case 0: // the suspension waits for the account's row
			defer close(held)
			var s sqlstore.Script
			s.Do(`UPDATE users SET email = email WHERE id = 'bobbobbobbob'`)
			s.Do(`SELECT 1 FROM pg_sleep(0.8)`).Into(new(int))
			f.no(holder.Run(f.ctx(), &s))
		case 1:
			defer close(suspended)
			f.until(held, `SELECT COUNT(*)`+ofRow)
			_, err := db.SuspendUser(f.ctx(), "bobbobbobbob", true, time.Time{})
			f.no(err)
		case 2:
			f.until(suspended, `SELECT COUNT(*)`+ofRow+` AND EXISTS (SELECT 1 FROM pg_locks AS w WHERE w.pid = l.pid AND NOT w.granted)`)
			f.no(db.AddOperator(f.ctx(), "bob@example.com", store.RoleOwner))
			if err := db.RemoveOperator(f.ctx(), "ada@example.com"); store.CodeOf(err) != store.InUse {
				t.Errorf("the last owner who can sign in is removed: %v", err)
			}
		}
	})
	if left := f.count(`SELECT COUNT(*) FROM owner WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.email = owner.email AND suspended_at IS NOT NULL)`); left != 1 {
		t.Errorf("%d owners can sign in", left)
	}
}
