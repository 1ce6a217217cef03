package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

func testRedemptionMismatch(t *testing.T, f *fixture) {
	n, _ := f.signUp("ada@example.com")
	for name, change := range map[string]func(*store.Redemption){
		"code":        func(r *store.Redemption) { r.Code = random() },
		"client":      func(r *store.Redemption) { r.Client = "other" },
		"redirect":    func(r *store.Redemption) { r.RedirectURI += "/" },
		"verifier":    func(r *store.Redemption) { r.Challenge = "another" },
		"no verifier": func(r *store.Redemption) { r.Challenge = "" },
	} {
		r := redemption(n)
		change(&r)
		if _, err := f.db.RedeemCode(f.ctx(), r); store.CodeOf(err) != store.NotFound {
			t.Errorf("another %s: %v", name, err)
		}
	}
	late := f.replica()
	late.AdvanceForTest(65 * time.Second)
	_, err := late.RedeemCode(f.ctx(), redemption(n))
	f.want(err, store.NotFound)
	_, err = f.db.RedeemCode(f.ctx(), redemption(n)) // none of these has burnt it
	f.no(err)
}

func testSessions(t *testing.T, f *fixture) {
	n, user := f.signUp("ada@example.com")
	c := completion(n)
	sso := func(browser store.Hash) (store.Completion, error) {
		next := c
		next.Code.Hash = random()
		in, err := f.db.CompleteSession(f.ctx(), c.Session.Hash, browser, next)
		if err == nil && in.User != user {
			t.Errorf("signed in as %q, want %q", in.User, user)
		}
		return next, err
	}
	next, err := sso(n.Browser)
	f.no(err)
	r := redemption(n)
	r.Code = next.Code.Hash
	g, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	if g.Session != c.Session.Hash {
		t.Error("the code is of another session")
	}
	_, err = sso(random())
	f.want(err, store.NotFound) // another browser with a stolen cookie
	_, err = f.db.Session(f.ctx(), c.Session.Hash, random())
	f.want(err, store.NotFound)

	f.db.AdvanceForTest(11 * time.Hour)
	_, err = sso(n.Browser) // use keeps it from idling out
	f.no(err)
	f.db.AdvanceForTest(11 * time.Hour)
	_, err = sso(n.Browser)
	f.no(err)

	// A new proof in the same browser ends the session it replaces.
	again := f.begin("ada@example.com")
	again.Browser, again.Purpose = n.Browser, store.PurposeSignIn
	f.begun(again)
	renewed := completion(again)
	renewed.Session.Replaces = c.Session.Hash
	_, err = f.db.CompleteChallenge(f.ctx(), guess(again, 7), renewed)
	f.no(err)
	_, err = f.db.Session(f.ctx(), c.Session.Hash, n.Browser)
	f.no(err) // a wrong code ends nothing
	pending, err := sso(n.Browser)
	f.no(err)
	_, err = f.db.CompleteChallenge(f.ctx(), guess(again, 1), renewed)
	f.no(err)
	_, err = sso(n.Browser)
	f.want(err, store.NotFound)
	if again := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'user.signed_in' AND user_id = $1`, user); again != 1 {
		t.Errorf("%d sign-ins are recorded, want 1", again)
	}
	r = redemption(n) // the code that another tab was just given still works
	r.Code = pending.Code.Hash
	_, err = f.db.RedeemCode(f.ctx(), r)
	f.no(err)

	f.db.AdvanceForTest(13 * time.Hour)
	_, err = f.db.Session(f.ctx(), renewed.Session.Hash, n.Browser)
	f.want(err, store.NotFound)
}

func testMail(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	worker := store.NewID(time.Now())
	claim := func() []store.QueuedMail {
		t.Helper()
		mails, err := f.db.ClaimMail(f.ctx(), worker, time.Minute, 10)
		f.no(err)
		return mails
	}
	if m := claim(); len(m) != 0 {
		t.Fatal("claimed a mail under somebody's lease")
	}
	f.db.AdvanceForTest(35 * time.Second)
	mails := claim()
	if len(mails) != 1 || mails[0].ID != n.Mail.ID || mails[0].Challenge != n.ID || string(mails[0].Payload) != "sealed" || mails[0].Decoy {
		t.Fatalf("claimed %+v", mails)
	}
	if len(claim()) != 0 {
		t.Fatal("claimed twice")
	}
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: n.Mail.ID, State: store.MailQueued, Retry: 5 * time.Second, Error: "busy"}}))
	f.db.AdvanceForTest(10 * time.Second)
	if m := claim(); len(m) != 1 || m[0].Attempts != 2 {
		t.Fatalf("retry: %+v", m)
	}
	if depth, oldest, err := f.db.MailDepth(f.ctx()); err != nil || depth != 1 || oldest.IsZero() {
		t.Fatal(depth, oldest, err)
	}
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: n.Mail.ID, State: store.MailSent, Sender: "inbox", Provider: "p1"}}))
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: n.Mail.ID, State: store.MailFailed}})) // too late
	st, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser)
	f.no(err)
	if st.Mail != store.MailSent {
		t.Errorf("state %d", st.Mail)
	}
	if kept := f.count(`SELECT COUNT(*) FROM mail WHERE payload IS NOT NULL`); kept != 0 {
		t.Error("the payload of a sent mail is kept")
	}

	late := f.begun(f.begin("bob@example.com"))
	f.db.AdvanceForTest(11 * time.Minute)
	if m := claim(); len(m) != 0 {
		t.Fatal("claimed a mail whose code is dead")
	}
	st, err = f.db.ChallengeState(f.ctx(), late.ID, late.Browser)
	f.no(err)
	if st.Mail != store.MailExpired {
		t.Errorf("state %d", st.Mail)
	}
}

func testMailIsClaimedOnce(t *testing.T, f *fixture) {
	const mails = 100
	for i := range mails {
		f.begun(f.begin(store.Email(fmt.Sprintf("p%d@example.com", i))))
	}
	dbs := []*sqlstore.DB{f.db, f.replica()}
	for _, db := range dbs {
		db.AdvanceForTest(35 * time.Second)
	}
	var mu sync.Mutex
	seen := map[store.ID]int{}
	f.parallel(8, dbs, func(_ int, db *sqlstore.DB) {
		worker := store.NewID(time.Now())
		for range 100 {
			got, err := db.ClaimMail(f.ctx(), worker, time.Minute, 7)
			if err != nil {
				t.Error(err)
				return
			}
			if len(got) == 0 {
				break
			}
			mu.Lock()
			for _, m := range got {
				seen[m.ID]++
			}
			mu.Unlock()
		}
	})
	for {
		got, err := f.db.ClaimMail(f.ctx(), store.NewID(time.Now()), time.Minute, 50)
		f.no(err)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			seen[m.ID]++
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("mail %s was claimed %d times", id, n)
		}
	}
	if len(seen) != mails {
		t.Errorf("%d mails were claimed, want %d", len(seen), mails)
	}
}

func testInbox(t *testing.T, f *fixture) {
	for i := range 5 {
		f.no(f.db.AddInbox(f.ctx(), store.InboxItem{ID: store.ID{byte(i)}, Sealed: []byte{byte(i)}}, 3))
	}
	items, err := f.db.Inbox(f.ctx(), 10)
	f.no(err)
	if len(items) != 3 || items[0].Sealed[0] != 4 || items[2].Sealed[0] != 2 || items[0].CreatedAt.IsZero() {
		t.Fatalf("%+v", items)
	}
	f.no(f.db.ClearInbox(f.ctx()))
	if items, _ = f.db.Inbox(f.ctx(), 10); len(items) != 0 {
		t.Fatal("not empty")
	}
}

func client(id string) store.Client {
	return store.Client{ID: id, Name: "Bookstore", Type: store.Traditional, RedirectURIs: []string{"https://shop.example/callback"},
		IDTokenAlg: "ES256", PKCE: true, Secrets: []store.ClientSecret{{ID: store.NewID(time.Now()), Hash: random(), Prefix: "abcd"}}}
}

func testClients(t *testing.T, f *fixture) {
	f.want(lookup(f, "a"), store.NotFound)
	c := client("a")
	f.no(f.db.CreateClient(f.ctx(), c))
	f.want(f.db.CreateClient(f.ctx(), c), store.Conflict)
	got, err := f.db.Client(f.ctx(), "a")
	f.no(err)
	if got.Name != c.Name || got.Type != c.Type || !got.PKCE || len(got.RedirectURIs) != 1 || got.PostLogoutRedirectURIs == nil ||
		len(got.Secrets) != 1 || got.Secrets[0].Hash != c.Secrets[0].Hash {
		t.Fatalf("%+v", got)
	}
	for range 3 {
		time.Sleep(2 * time.Millisecond) // ids order the secrets
		f.no(f.db.AddClientSecret(f.ctx(), "a", store.ClientSecret{ID: store.NewID(time.Now()), Hash: random(), Prefix: "efgh"}, 1))
	}
	if got, err = f.db.Client(f.ctx(), "a"); err != nil || len(got.Secrets) != 2 || got.Secrets[1].Hash == c.Secrets[0].Hash {
		t.Fatalf("%+v %v", got.Secrets, err)
	}
	f.changeClient("a", func(c *store.Client) { c.RedirectURIs, c.PostLogoutRedirectURIs = []string{"https://b.example/"}, nil })
	if got, err = f.db.Client(f.ctx(), "a"); err != nil || got.RedirectURIs[0] != "https://b.example/" {
		t.Fatal(got, err)
	}
	f.no(f.db.CreateClient(f.ctx(), client("b")))
	if page, err := f.db.Clients(f.ctx(), "a", 1); err != nil || len(page) != 1 || page[0].ID != "b" {
		t.Fatal(page, err)
	}
	f.no(f.db.DeleteClient(f.ctx(), "a", time.Time{}))
	f.want(f.db.DeleteClient(f.ctx(), "a", time.Time{}), store.NotFound)
	f.want(f.db.AddClientSecret(f.ctx(), "a", store.ClientSecret{ID: store.NewID(time.Now())}, 1), store.NotFound)
	_, err = f.db.UpdateClient(f.ctx(), store.Client{ID: "a"}, time.Now())
	f.want(err, store.NotFound)
	f.want(lookup(f, "a"), store.NotFound)
}

func lookup(f *fixture, id string) error {
	_, err := f.db.Client(f.ctx(), id)
	return err
}

// What one replica changes, another follows within two ticks; an id that was not
// found works at the next request.
func testCachesFollowOtherReplicas(t *testing.T, f *fixture) {
	other := f.replica()
	f.want(lookup(f, "a"), store.NotFound)
	f.no(other.CreateClient(f.ctx(), client("a")))
	f.no(lookup(f, "a"))
	f.no(other.DeleteClient(f.ctx(), "a", time.Time{}))
	for deadline := time.Now().Add(5 * time.Second); lookup(f, "a") == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a deleted client is still served after 5 s")
		}
	}
}

func testSigningKeys(t *testing.T, f *fixture) {
	f.no(f.db.AddSigningKey(f.ctx(), store.SigningKey{ID: "k1", Alg: "ES256", Sealed: []byte("s"), Public: []byte("p")}))
	f.no(f.replica().AddSigningKey(f.ctx(), store.SigningKey{ID: "k2", Alg: "ES256", Sealed: []byte("s"), Public: []byte("p")}))
	f.no(f.db.AddSigningKey(f.ctx(), store.SigningKey{ID: "k3", Alg: "RS256", Sealed: []byte("s"), Public: []byte("p")}))
	keys, err := f.db.SigningKeys(f.ctx())
	f.no(err)
	if len(keys) != 2 {
		t.Fatalf("%d keys, want one per algorithm", len(keys))
	}
	f.no(f.db.RotateSigningKeys(f.ctx(), []store.SigningKey{{ID: "k4", Alg: "ES256", Sealed: []byte("s"), Public: []byte("p")}}))
	keys, err = f.replica().FreshSigningKeys(f.ctx())
	f.no(err)
	byID := map[string]store.SigningKey{}
	for _, k := range keys {
		byID[k.ID] = k
	}
	if len(byID) != 3 || !byID["k1"].RetiredAt.Equal(byID["k4"].CreatedAt) || !byID["k4"].RetiredAt.IsZero() || !byID["k3"].RetiredAt.IsZero() {
		t.Errorf("%+v", keys)
	}
	f.want(f.db.DeleteSigningKey(f.ctx(), "k4"), store.InUse)
	f.no(f.db.DeleteSigningKey(f.ctx(), "k1"))
	f.want(f.db.DeleteSigningKey(f.ctx(), "k1"), store.NotFound)
}

func testConnectors(t *testing.T, f *fixture) {
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "inbox", Sealed: []byte("1")}))
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "http", Sealed: []byte("2")}))
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "inbox", Sealed: []byte("3")}))
	list, err := f.db.Connectors(f.ctx())
	f.no(err)
	if len(list) != 2 || list[0].ID != "inbox" || string(list[0].Sealed) != "3" || list[1].ID != "http" {
		t.Fatalf("%+v", list)
	}
}

func testSecret(t *testing.T, f *fixture) {
	mine, theirs, next := random(), random(), random()
	f.no(f.db.CheckSecret(f.ctx(), mine, nil))
	f.no(f.replica().CheckSecret(f.ctx(), mine, nil))
	f.want(f.db.CheckSecret(f.ctx(), theirs, nil), store.Conflict)
	f.no(f.db.CheckSecret(f.ctx(), next, []store.Hash{next, mine}))
	f.no(f.db.CheckSecret(f.ctx(), mine, nil)) // still the one of the database
}

func testClockStepsBack(t *testing.T, f *fixture) {
	before := f.db.Now()
	f.db.AdvanceForTest(-time.Hour)
	if f.db.Now().Before(before) {
		t.Error("this process's clock went back")
	}
	f.exec(`UPDATE instance SET high_water = $1`, before.Add(time.Hour).UnixMicro())
	other := f.replica()
	outer := time.Now()
	first := other.Now()
	inner := time.Now()
	if first.Before(before.Add(time.Hour)) {
		t.Errorf("a new process starts at %s, below the mark %s", first, before.Add(time.Hour))
	}
	// What waits for a time does not wait until the database's clock has caught up.
	time.Sleep(2500 * time.Millisecond) // two readings of the clock
	least := time.Since(inner)
	gone := other.Now().Sub(first)
	most := time.Since(outer)
	if gone < least/3 || gone > most*2/3 {
		t.Errorf("an hour ahead of the database's clock %s went by in %s to %s, want half", gone, least, most)
	}
}

func testPurge(t *testing.T, f *fixture) {
	n, _ := f.signUp("ada@example.com")
	_, err := f.db.RedeemCode(f.ctx(), redemption(n))
	f.no(err)
	purge := func() {
		for range 200 { // stretches start at random: enough of them cover all
			_, err := f.db.Purge(f.ctx(), 100)
			f.no(err)
		}
	}
	purge() // may drop budgets that are full again, nothing else
	for _, table := range []string{"challenge", "auth_code", "session", "oidc_grant", "mail"} {
		if rows := f.count(`SELECT COUNT(*) FROM ` + table); rows != 1 {
			t.Errorf("%d live rows in %s, want 1", rows, table)
		}
	}
	f.db.AdvanceForTest(60 * 24 * time.Hour)
	purge()
	for _, table := range []string{"budget", "challenge", "auth_code", "session", "oidc_grant", "mail"} {
		if rows := f.count(`SELECT COUNT(*) FROM ` + table); rows != 0 {
			t.Errorf("%d rows left in %s", rows, table)
		}
	}
	if users := f.count(`SELECT COUNT(*) FROM users`); users != 1 {
		t.Error("an account was purged")
	}
}

// What a client held is worth nothing once it is deleted, whatever a replica has in
// its cache.
func testDeletedClient(t *testing.T, f *fixture) {
	n, _ := f.signUp("ada@example.com")
	r := redemption(n)
	_, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	pending := completion(n)
	pending.Code.Hash = random()
	_, err = f.db.CompleteSession(f.ctx(), pending.Session.Hash, n.Browser, pending)
	f.no(err)
	f.no(f.db.DeleteClient(f.ctx(), "bookstore", time.Time{}))
	_, err = f.db.AccessToken(f.ctx(), r.Grant, r.Access)
	f.want(err, store.NotFound)
	late := redemption(n)
	late.Code = pending.Code.Hash
	_, err = f.db.RedeemCode(f.ctx(), late)
	f.want(err, store.NotFound)
}

// A reload in the first of two tabs neither revives its session nor ends the one
// of the second.
func testSecondTabThenReload(t *testing.T, f *fixture) {
	first, _ := f.signUp("ada@example.com")
	second := f.begin("ada@example.com")
	second.Browser, second.Purpose = first.Browser, store.PurposeSignIn
	f.begun(second)
	c := completion(second)
	c.Session.Replaces = completion(first).Session.Hash
	_, err := f.db.CompleteChallenge(f.ctx(), guess(second, 1), c)
	f.no(err)
	again := completion(first)
	again.Session.Replaces = c.Session.Hash
	in, err := f.db.CompleteChallenge(f.ctx(), guess(first, 1), again)
	f.no(err)
	if in.Outcome != store.OutcomeUsed {
		t.Errorf("outcome %d", in.Outcome)
	}
	_, err = f.db.Session(f.ctx(), c.Session.Hash, first.Browser)
	f.no(err)
}
