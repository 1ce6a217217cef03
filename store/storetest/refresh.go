package storetest

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// family is a grant with a chain of refresh tokens, the n-th of which has the hash
// token(n).
type family struct {
	*fixture
	grant store.ID
	root  store.Hash
	n     store.NewChallenge
	user  string
}

// family signs somebody up and redeems the code for a grant that outlives the session,
// or one that does not.
func (f *fixture) family(email store.Email, offline bool) *family {
	f.t.Helper()
	n := f.begun(f.begin(email))
	c := completion(n)
	c.Code.Offline = offline
	in, err := f.db.CompleteChallenge(f.ctx(), guess(n, 1), c)
	f.no(err)
	fam := &family{fixture: f, root: random(), n: n, user: in.User}
	r := redemption(n)
	r.Refresh = store.NewRefresh{Hash: fam.token(0), Always: !offline, Idle: 14 * day, Absolute: 90 * day}
	g, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	fam.grant = g.ID
	return fam
}

const day = 24 * time.Hour

// A token that was replaced is taken for a grace, which a slow machine is within a while
// after the test has moved the clock by withinGrace.
const (
	grace       = 2 * time.Minute
	withinGrace = grace - 30*time.Second
)

func (m *family) token(i int) (h store.Hash) {
	h = m.root
	binary.BigEndian.PutUint64(h[:], uint64(i))
	return h
}

// refresh presents token i, as a public client.
func (m *family) refresh(i int) store.Refresh {
	access := m.token(i)
	access[31] ^= 0xff
	return store.Refresh{Grant: m.grant, Client: "bookstore", Presented: m.token(i), Genuine: true, Next: []store.Hash{m.token(i + 1)},
		Grace: grace, Idle: 14 * day, Access: access, AccessTTL: time.Hour}
}

func (m *family) ok(r store.Refresh, next int) store.Refreshed {
	m.t.Helper()
	out, err := m.db.RefreshGrant(m.ctx(), r)
	m.no(err)
	if out.Next != next || out.User.ID != m.user || !slices.Equal(out.Scopes, []string{"openid", "email"}) || out.AuthTime.IsZero() || !slices.Equal(out.AMR, []string{"otp"}) {
		m.t.Fatalf("%+v", out)
	}
	return out
}

func (m *family) refused(r store.Refresh, want store.Code) {
	m.t.Helper()
	_, err := m.db.RefreshGrant(m.ctx(), r)
	m.want(err, want)
}

func (m *family) accesses(access store.Hash, want bool) {
	m.t.Helper()
	if _, err := m.db.AccessToken(m.ctx(), m.grant, access); (err == nil) != want {
		m.t.Fatalf("access token: %v", err)
	}
}

func testRefresh(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	first := m.ok(m.refresh(0), 0)
	m.accesses(m.refresh(0).Access, true)
	f.db.AdvanceForTest(withinGrace)
	if again := m.ok(m.refresh(0), 0); !again.AuthTime.Equal(first.AuthTime) { // a lost answer
		t.Error("another auth_time")
	}
	m.ok(m.refresh(1), 0)
	m.ok(m.refresh(0), 0) // a twin of the first, later than a refresh with its successor
	f.db.AdvanceForTest(withinGrace)
	m.accesses(m.refresh(0).Access, true) // two access tokens live, a third takes the place of the oldest
	m.ok(m.refresh(2), 0)
	m.accesses(m.refresh(0).Access, false)
	m.accesses(m.refresh(1).Access, true)
	m.accesses(m.refresh(2).Access, true)

	made := m.refresh(9)
	made.Genuine = false
	m.refused(made, store.NotFound) // made up: the id of a grant is no secret
	other := m.refresh(3)
	other.Client = "other"
	m.refused(other, store.NotFound)
	other = m.refresh(1)
	other.Client = "other"
	m.refused(other, store.NotFound) // another client's reuse ends nothing
	m.ok(m.refresh(3), 0)

	f.db.AdvanceForTest(grace + time.Second)
	m.refused(m.refresh(3), store.Used)
	m.refused(m.refresh(4), store.NotFound)
	m.accesses(m.refresh(3).Access, false)
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'grant.token_reused' AND user_id = $1`, m.user); n != 1 {
		t.Errorf("%d reuses are recorded, want 1", n)
	}
}

// A token from long before its successor's successor ends the grant as well.
func testRefreshAncestor(_ *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	for i := range 3 {
		m.ok(m.refresh(i), 0)
	}
	m.refused(m.refresh(0), store.Used)
	m.refused(m.refresh(3), store.NotFound)
}

// A confidential client's token stays for most of its life.
func testRefreshRotatesLate(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	use := func(access byte, next int) {
		t.Helper()
		r := m.refresh(0)
		r.Rotate, r.Access = 10*day, store.Hash{access}
		m.ok(r, next)
		m.accesses(r.Access, true)
	}
	use(1, -1)
	use(1, -1)
	f.db.AdvanceForTest(9 * day)
	use(2, -1)
	f.db.AdvanceForTest(2 * day)
	use(3, 0)
}

func testRefreshLifetimes(_ *testing.T, f *fixture) {
	idle := f.family("ada@example.com", true)
	used := f.family("bob@example.com", true)
	for i := range 6 { // use keeps it alive, the absolute end comes all the same
		f.db.AdvanceForTest(13 * day)
		used.ok(used.refresh(i), 0)
	}
	idle.refused(idle.refresh(0), store.NotFound)
	f.db.AdvanceForTest(13 * day) // 91 since the grant was made
	used.refused(used.refresh(6), store.NotFound)
}

// The parties are asked for again each time.
func testRefreshParties(_ *testing.T, f *fixture) {
	suspended := f.family("ada@example.com", true)
	f.exec(`UPDATE users SET suspended_at = 1 WHERE id = $1`, suspended.user)
	suspended.refused(suspended.refresh(0), store.NotFound)
	f.exec(`UPDATE users SET suspended_at = NULL WHERE id = $1`, suspended.user)
	suspended.ok(suspended.refresh(0), 0)

	bound := f.family("bob@example.com", false)
	bound.ok(bound.refresh(0), 0)
	f.db.AdvanceForTest(13 * time.Hour) // the session idled out
	bound.refused(bound.refresh(1), store.NotFound)
	if _, err := f.db.RefreshToken(f.ctx(), bound.grant, bound.token(1)); store.CodeOf(err) != store.NotFound {
		f.t.Error(err)
	}
	suspended.ok(suspended.refresh(1), 0) // what outlives sessions goes on

	f.no(f.db.DeleteClient(f.ctx(), "bookstore", time.Time{}))
	suspended.refused(suspended.refresh(2), store.NotFound)
}

// A code that asked for nothing that lasts gives no refresh token, whatever is presented.
func testNoRefresh(_ *testing.T, f *fixture) {
	n, user := f.signUp("ada@example.com")
	r := redemption(n)
	m := &family{fixture: f, root: random(), n: n, user: user}
	r.Refresh = store.NewRefresh{Hash: m.token(0), Idle: day, Absolute: day}
	g, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	m.grant = g.ID
	m.refused(m.refresh(0), store.NotFound)
}

// 64 refreshes at once of one token: one family, one answer.
func testParallelRefreshes(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	var mu sync.Mutex
	answers := map[int]int{}
	f.parallel(64, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		out, err := db.RefreshGrant(f.ctx(), m.refresh(0))
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		answers[out.Next]++
	})
	if answers[0] != 64 {
		t.Errorf("%v", answers)
	}
	m.accesses(m.refresh(0).Access, true)
	m.ok(m.refresh(1), 0)
	f.db.AdvanceForTest(2 * grace) // the other replica's clock may be a little ahead
	m.refused(m.refresh(0), store.Used)
}

// Of a thief and the owner who refresh with one token, in any order and long apart,
// nobody keeps the grant; replicas agree.
func testReuseAcrossReplicas(_ *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	other := f.replica()
	_, err := other.RefreshGrant(f.ctx(), m.refresh(0))
	f.no(err)
	f.db.AdvanceForTest(2 * grace)
	m.refused(m.refresh(0), store.Used)
	_, err = other.RefreshGrant(f.ctx(), m.refresh(1))
	f.want(err, store.NotFound)
}

func testNarrowScopes(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	r := m.refresh(0)
	r.Scopes = []string{"openid"}
	m.ok(r, 0)
	token, err := f.db.AccessToken(f.ctx(), m.grant, r.Access)
	f.no(err)
	if !slices.Equal(token.Scopes, []string{"openid"}) {
		t.Errorf("%v", token.Scopes)
	}
	m.ok(m.refresh(1), 0)
	if token, err = f.db.AccessToken(f.ctx(), m.grant, m.refresh(1).Access); err != nil || len(token.Scopes) != 2 {
		t.Errorf("%v %v", token.Scopes, err)
	}
	if token, err = f.db.AccessToken(f.ctx(), m.grant, r.Access); err != nil || len(token.Scopes) != 1 {
		t.Errorf("%v %v", token.Scopes, err)
	}
	if scopes, resources, err := f.db.GrantAsked(f.ctx(), m.grant, "bookstore"); err != nil || len(scopes) != 2 || resources != nil {
		t.Error(scopes, resources, err)
	}
	_, _, err = f.db.GrantAsked(f.ctx(), m.grant, "other")
	f.want(err, store.NotFound)
}

func testRevocation(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	revoke := func(token store.Hash, client, want string, refresh ...bool) {
		t.Helper()
		issuedTo, err := f.db.RevokeToken(f.ctx(), store.Revocation{Grant: m.grant, Token: token, Client: client, Refresh: len(refresh) > 0})
		f.no(err)
		if issuedTo != want {
			t.Errorf("issued to %q, want %q", issuedTo, want)
		}
	}
	m.ok(m.refresh(0), 0)
	m.ok(m.refresh(1), 0)
	a, b := m.refresh(0).Access, m.refresh(1).Access
	revoke(random(), "bookstore", "", true)
	revoke(b, "other", "bookstore")
	m.accesses(b, true)
	revoke(a, "bookstore", "bookstore")
	m.accesses(a, false)
	m.accesses(b, true)
	if _, err := f.db.RefreshToken(f.ctx(), m.grant, m.token(2)); err != nil {
		t.Error(err)
	}
	revoke(m.token(2), "other", "bookstore", true)
	late := m.refresh(2)
	out, err := f.db.RefreshGrant(f.ctx(), late)
	f.want(err, store.Conflict) // what is derived has to take the revoked one into account
	if out.Revoked < 1 {        // a script that ran twice counts twice
		t.Errorf("%d revoked", out.Revoked)
	}
	late.Revoked = out.Revoked
	m.ok(late, 0)
	revoke(m.token(2), "bookstore", "bookstore", true) // a replaced one ends the grant as well
	m.refused(m.refresh(3), store.NotFound)
	m.accesses(m.refresh(2).Access, false)
	revoke(m.token(3), "bookstore", "", true)
}
