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

// box is an address that no browser is known for.
func box(email store.Email) store.Mailbox { return store.Mailbox{Email: email} }

func testTestAddresses(t *testing.T, f *fixture) {
	f.tested("ada@example.com", time.Hour)
	f.tested("ada@example.com", 2*time.Hour) // again: another end
	all, err := f.replica().TestAddresses(f.ctx())
	f.no(err)
	if len(all) != 1 || all[0].Email != "ada@example.com" || string(all[0].Code) != "sealed" || !all[0].Live(f.db.Now().Add(time.Hour)) || all[0].CreatedAt.IsZero() {
		t.Fatalf("%+v", all)
	}
	// Never an operator's, whatever comes first.
	f.no(f.db.AddOperator(f.ctx(), box("boss@example.com"), store.RoleViewer))
	var field *store.FieldError
	err = f.db.SetTestAddress(f.ctx(), store.TestAddress{Email: "boss@example.com", Code: []byte("sealed"), EndsAt: f.db.Now().Add(time.Hour)})
	if store.CodeOf(err) != store.Invalid || !errors.As(err, &field) || field.Field != "email" {
		t.Error(err)
	}
	f.no(f.db.AddOperator(f.ctx(), box("ada@example.com"), store.RoleOwner))
	if all, err = f.db.TestAddresses(f.ctx()); err != nil || len(all) != 0 {
		t.Errorf("%+v %v", all, err)
	}
	f.want(f.db.RemoveTestAddress(f.ctx(), box("ada@example.com"), store.Event{Kind: "test_address.removed"}), store.NotFound)
	f.tested("bob@example.com", time.Hour)
	f.no(f.db.RemoveTestAddress(f.ctx(), box("bob@example.com"), store.Event{Kind: "test_address.removed"}))
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
				err = db.AddOperator(f.ctx(), box(email), store.RoleAdmin)
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
			f.no(f.replica().RemoveTestAddress(f.ctx(), box(email)))
		},
		"operator": func(email store.Email) {
			f.no(f.replica().AddOperator(f.ctx(), box(email), store.RoleOwner))
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
	f.no(f.db.RemoveTestAddress(f.ctx(), box("fay@example.com")))
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
		"none":         func(email store.Email) { f.no(f.db.RemoveTestAddress(f.ctx(), box(email))) },
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

// Browsers that were known by a fixed code are strangers once it is changed or gone.
func testTestAddressForgets(t *testing.T, f *fixture) {
	known := func(of store.Mailbox) int {
		return f.count(`SELECT COUNT(*) FROM device WHERE address = $1`, of.Address[:])
	}
	set := func(of store.Mailbox) {
		t.Helper()
		f.no(f.db.SetTestAddress(f.ctx(), store.TestAddress{Email: of.Email, Code: []byte("sealed"), EndsAt: f.db.Now().Add(time.Hour), Address: of.Address, Former: of.Former}))
	}
	signUp := func(of store.Mailbox, test int16) {
		t.Helper()
		n := f.begin(of.Email)
		n.Address, n.Test = of.Address, test
		f.begun(n)
		f.expect(n, 1, store.OutcomeAccepted)
		if known(of) != 1 {
			t.Fatal("the browser is not known")
		}
	}
	other := store.Mailbox{Email: "eve@example.com", Address: random(), Former: random()}
	signUp(other, 0)
	for name, end := range map[string]func(store.Mailbox){
		"set":      set,
		"removal":  func(of store.Mailbox) { f.no(f.db.RemoveTestAddress(f.ctx(), of)) },
		"operator": func(of store.Mailbox) { f.no(f.db.AddOperator(f.ctx(), of, store.RoleViewer)) },
	} {
		of := store.Mailbox{Email: store.Email(name + "@example.com"), Address: random(), Former: random()}
		set(of)
		signUp(of, 1)
		if name == "removal" { // what was known under the secret before is forgotten, too
			of.Address, of.Former = of.Former, of.Address
		}
		end(of)
		if known(of)+known(store.Mailbox{Address: of.Former}) != 0 {
			t.Errorf("%s: the browser is still known", name)
		}
	}
	// Nobody else's are, nor those of an operator whose address was none for tests.
	f.no(f.db.AddOperator(f.ctx(), other, store.RoleViewer))
	if known(other) != 1 {
		t.Error("browsers are forgotten that have proved a mailbox")
	}
}
