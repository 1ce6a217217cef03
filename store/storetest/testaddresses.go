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

func (f *fixture) tested(email store.Email, ends time.Duration) {
	f.t.Helper()
	f.no(f.db.SetTestAddress(f.ctx(), store.TestAddress{Email: email, Code: []byte("sealed"), EndsAt: f.db.Now().Add(ends)}, store.Event{Kind: "test_address.set"}))
}

func testTestAddresses(t *testing.T, f *fixture) {
	f.tested("ada@example.com", time.Hour)
	f.tested("ada@example.com", 2*time.Hour) // again: another end
	all, err := f.replica().TestAddresses(f.ctx())
	f.no(err)
	if len(all) != 1 || all[0].Email != "ada@example.com" || string(all[0].Code) != "sealed" || !all[0].Live(f.db.Now().Add(time.Hour)) || all[0].CreatedAt.IsZero() {
		t.Fatalf("%+v", all)
	}
	// Never an operator's, whatever comes first.
	f.no(f.db.AddOperator(f.ctx(), "boss@example.com", store.RoleViewer))
	var field *store.FieldError
	err = f.db.SetTestAddress(f.ctx(), store.TestAddress{Email: "boss@example.com", Code: []byte("sealed"), EndsAt: f.db.Now().Add(time.Hour)})
	if store.CodeOf(err) != store.Invalid || !errors.As(err, &field) || field.Field != "email" {
		t.Error(err)
	}
	f.no(f.db.AddOperator(f.ctx(), "ada@example.com", store.RoleOwner))
	if all, err = f.db.TestAddresses(f.ctx()); err != nil || len(all) != 0 {
		t.Errorf("%+v %v", all, err)
	}
	f.want(f.db.RemoveTestAddress(f.ctx(), "ada@example.com", store.Event{Kind: "test_address.removed"}), store.NotFound)
	f.tested("bob@example.com", time.Hour)
	f.no(f.db.RemoveTestAddress(f.ctx(), "bob@example.com", store.Event{Kind: "test_address.removed"}))
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind LIKE 'test_address.%'`); n != 4 {
		t.Errorf("%d entries", n)
	}
	for n := range store.MaxTestAddresses {
		f.tested(store.Email(fmt.Sprintf("t%d@example.com", n)), time.Hour)
	}
	f.tested("t7@example.com", 2*time.Hour)
	f.want(f.db.SetTestAddress(f.ctx(), store.TestAddress{Email: "more@example.com", Code: []byte("sealed"), EndsAt: f.db.Now().Add(time.Hour)}), store.InUse)
}

// Of two at once that make an address an operator's, and one for tests, it is an operator's alone.
func testTestAddressRaces(t *testing.T, f *fixture) {
	for round := range 5 {
		email := store.Email(fmt.Sprintf("r%d@example.com", round))
		var failed atomic.Int64
		f.parallel(8, []*sqlstore.DB{f.db, f.replica()}, func(n int, db *sqlstore.DB) {
			var err error
			if n%2 == 0 {
				err = db.AddOperator(f.ctx(), email, store.RoleAdmin)
			} else {
				err = db.SetTestAddress(f.ctx(), store.TestAddress{Email: email, Code: []byte("sealed"), EndsAt: f.db.Now().Add(time.Hour)})
			}
			if c := store.CodeOf(err); err != nil && c != store.Conflict && c != store.Invalid {
				failed.Add(1)
				t.Error(err)
			}
		})
		if n := f.count(`SELECT COUNT(*) FROM test_address JOIN owner ON owner.email = test_address.email`); n != 0 || failed.Load() != 0 {
			t.Fatalf("%d addresses are both", n)
		}
	}
}

// The fixed code is right while the address is one for tests, and its mail reaches nobody; what is
// done with it is marked.
func testTestAddressSignIn(t *testing.T, f *fixture) {
	begin := func(email store.Email) store.NewChallenge {
		t.Helper()
		n := f.begin(email)
		n.Test = 1
		f.begun(n)
		if f.count(`SELECT COUNT(*) FROM mail WHERE challenge = $1 AND decoy = 1`, n.ID[:]) != 1 {
			t.Error("the mail is to be sent")
		}
		return n
	}
	f.tested("ada@example.com", time.Hour)
	n := begin("ada@example.com")
	f.expect(n, 2, store.OutcomeWrong)
	f.expect(n, 1, store.OutcomeAccepted)
	f.expect(n, 1, store.OutcomeAccepted) // a double click
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'user.registered' AND detail LIKE '%"testAddress":true%'`); n != 1 {
		t.Errorf("%d marked entries", n)
	}
	_, user := f.signUp("eve@example.com")
	if n := f.count(`SELECT COUNT(*) FROM event WHERE user_id = $1 AND detail IS NOT NULL`, user); n != 0 {
		t.Error("the entry of somebody else is marked")
	}
	// It ends by itself, when it is removed, and when the address becomes an operator's, on
	// challenges that live, and on replicas that have not heard of it.
	ends := map[string]func(store.Email){
		"time": func(store.Email) { f.db.AdvanceForTest(11 * time.Minute) },
		"removal": func(email store.Email) {
			f.no(f.replica().RemoveTestAddress(f.ctx(), email))
		},
		"operator": func(email store.Email) {
			f.no(f.replica().AddOperator(f.ctx(), email, store.RoleOwner))
		},
	}
	for _, name := range []string{"removal", "operator", "time"} {
		email := store.Email(name + "@example.com")
		f.tested(email, 11*time.Minute)
		n := begin(email)
		stale := f.begin(email)
		stale.Test, stale.CodeTTL = 1, 20*time.Minute
		ends[name](email)
		f.expect(n, 1, store.OutcomeExpired)
		f.begun(stale)
		f.expect(stale, 1, store.OutcomeExpired)
	}
	// One that was asked for again has the mark, too.
	f.tested("fay@example.com", time.Hour)
	m := f.begun(f.begin("fay@example.com"))
	f.db.AdvanceForTest(2 * time.Minute)
	_, err := f.db.ResendCode(f.ctx(), store.Resend{ID: m.ID, Browser: m.Browser, Request: m.Request, Email: m.Email, Address: m.Address, MAC: mac(7), CodeTTL: 10 * time.Minute, NextSend: time.Minute,
		Mail: f.mail(), Test: 1, IP: m.IP, Recipient: m.Recipient, Unknown: m.Unknown})
	f.no(err)
	if f.count(`SELECT COUNT(*) FROM mail WHERE challenge = $1 AND decoy = 1`, m.ID[:]) != 1 {
		t.Error("the second mail is to be sent")
	}
	f.no(f.db.RemoveTestAddress(f.ctx(), "fay@example.com"))
	f.expect(m, 7, store.OutcomeExpired)
}

// A code that the address does not have any more is right nowhere, also on a challenge that lives, and
// there another code can be asked for, which is.
func testTestAddressCodes(t *testing.T, f *fixture) {
	mark := func(email store.Email) int16 {
		t.Helper()
		all, err := f.replica().TestAddresses(f.ctx())
		f.no(err)
		for _, a := range all {
			if a.Email == email {
				return a.Mark()
			}
		}
		return 0
	}
	for name, change := range map[string]func(store.Email){
		"another code": func(email store.Email) { f.tested(email, 2*time.Hour) },
		"none":         func(email store.Email) { f.no(f.db.RemoveTestAddress(f.ctx(), email)) },
	} {
		for sends := 1; sends <= 2; sends++ {
			email := store.Email(fmt.Sprintf("%d%s@example.com", sends, name[:4]))
			f.tested(email, time.Hour)
			n := f.begin(email)
			n.Test = mark(email)
			f.begun(n)
			again := func(code int) {
				t.Helper()
				f.db.AdvanceForTest(2 * time.Minute)
				_, err := f.db.ResendCode(f.ctx(), store.Resend{ID: n.ID, Browser: n.Browser, Request: n.Request, Email: n.Email, Address: n.Address, MAC: mac(code), CodeTTL: 10 * time.Minute,
					NextSend: time.Minute, Mail: f.mail(), Test: mark(email), IP: n.IP, Recipient: n.Recipient, Unknown: n.Unknown})
				f.no(err)
			}
			if sends == 2 {
				again(1)
			}
			f.db.AdvanceForTest(time.Second)
			change(email)
			f.expect(n, 1, store.OutcomeExpired)
			again(7)
			f.expect(n, 1, store.OutcomeStale)
			f.expect(n, 7, store.OutcomeAccepted)
			want := 0
			if mark(email) == 0 {
				want = 1
			}
			if leave := f.count(`SELECT COUNT(*) FROM mail WHERE challenge = $1 AND decoy = 0`, n.ID[:]); leave != want {
				t.Errorf("%s: %d mails leave, want %d", name, leave, want)
			}
		}
	}
}

// The release before writes 1 on a challenge, whatever code the address has, and asks whether it is 0. Beside it
// what that release wrote is right while the address is one for tests, and it lets nobody in by a mark when that is over.
func testTestAddressMixedFleet(t *testing.T, f *fixture) {
	const ada = store.Email("ada@example.com")
	f.tested(ada, time.Hour)
	all, err := f.db.TestAddresses(f.ctx())
	f.no(err)
	marked, older, later := f.begin(ada), f.begin(ada), f.begin(ada)
	marked.Test, older.Test, later.Test = all[0].Mark(), 1, 1
	before := func() int {
		return f.count(`SELECT COUNT(*) FROM challenge WHERE id = $1
			AND (test = 0 OR EXISTS (SELECT 1 FROM test_address WHERE test_address.email = $2 AND test_address.ends_at > $3))`,
			marked.ID[:], string(ada), f.db.Now().UnixMicro())
	}
	for _, n := range []store.NewChallenge{marked, older, later} {
		f.begun(n)
	}
	if before() != 1 {
		t.Error("the release before refuses a code that is right")
	}
	f.db.AdvanceForTest(time.Second)
	f.tested(ada, time.Hour) // another code
	f.expect(marked, 1, store.OutcomeExpired)
	f.expect(older, 1, store.OutcomeAccepted)
	f.no(f.db.RemoveTestAddress(f.ctx(), ada))
	f.expect(later, 1, store.OutcomeExpired)
	if before() != 0 {
		t.Error("the release before takes a code that is over")
	}
}

// A fixed code proves no mailbox: no browser is known by one, so none stays so when the address ends, by its
// date, too. Who had proved it by a mail stays known, also when the address becomes one for tests.
func testTestAddressMakesNobodyKnown(t *testing.T, f *fixture) {
	signUp := func(email store.Email, test int16) int {
		t.Helper()
		n := f.begin(email)
		n.Test = test
		f.begun(n)
		f.expect(n, 1, store.OutcomeAccepted)
		f.expect(n, 1, store.OutcomeAccepted) // a double click
		return f.count(`SELECT COUNT(*) FROM device WHERE address = $1 AND browser = $2`, n.Address[:], n.Browser[:])
	}
	f.tested("ada@example.com", time.Hour)
	if signUp("ada@example.com", 1) != 0 {
		t.Error("the browser is known by a fixed code")
	}
	if signUp("eve@example.com", 0) != 1 {
		t.Error("the browser is not known by a mailed code")
	}
	f.tested("eve@example.com", time.Hour)
	if f.count(`SELECT COUNT(*) FROM device`) != 1 {
		t.Error("a browser is forgotten that has proved a mailbox")
	}
}
