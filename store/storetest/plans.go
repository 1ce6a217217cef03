package storetest

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// scripts is an engine that asks how each statement of a script would be answered, too.
type scripts struct{ explained }

// Run implements [sqlstore.Engine].
func (e scripts) Run(ctx context.Context, s *sqlstore.Script) error {
	for _, step := range s.Steps {
		if err := e.explain(ctx, step.SQL, step.Args); err != nil {
			return err
		}
	}
	return e.Engine.Run(ctx, s)
}

// scan is the line of a plan that reads something from its beginning.
var scan = regexp.MustCompile(`(?:Seq Scan on|SCAN) (\w+)`)

// short is what may be read from its beginning: one row that a statement makes itself, and what
// operators make. SQLite names a table as the statement does, which may be any letter; so what
// is not here is taken for one that grows.
var short = []string{"CONSTANT", "account", "allowed", "asked", "facts", "role"}

// scanned tells of a line whether it reads a table that grows from its beginning.
func scanned(line string) bool {
	m := scan.FindStringSubmatch(line)
	return m != nil && !slices.Contains(short, m[1])
}

// follows is what comes after a sign-in: another app from the session, the page that is open in
// another tab, a token that is given back, the sign-out, and the link for who did not ask for the code.
func (f *fixture) follows(n store.NewChallenge, r store.Redemption) {
	f.t.Helper()
	_, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser)
	f.no(err)
	again := completion(n)
	again.Code.Hash = random()
	session := again.Session.Hash
	in, err := f.db.CompleteSession(f.ctx(), session, n.Browser, again)
	f.no(err)
	_, err = f.db.Session(f.ctx(), session, n.Browser)
	f.no(err)
	_, err = f.db.HoldsGrant(f.ctx(), in.User, session, r.Client)
	f.no(err)
	_, err = f.db.GrantLives(f.ctx(), r.Grant, r.Client)
	f.no(err)
	f.end(in.User, session, r.Client)
	f.notMe(n)
	f.no(f.db.Unmute(f.ctx(), disowned(n)))
	f.notMe(n)
}

// offered has who registers get a role, with a scope.
func (f *fixture) offered() {
	f.t.Helper()
	f.resource("orders")
	f.scope("orders", "read")
	f.role("clerk", store.UserRole, "read")
	f.exec(`UPDATE role SET is_default = 1 WHERE id = 'clerk'`)
}

// besides is what only some sign-ins have: a one-time token in the place of a code, an app that
// proves itself by an assertion, roles and a resource; and what providers tell of their mails.
func (f *fixture) besides() {
	f.t.Helper()
	made := f.token(store.Email(store.RandomText(10) + "@example.com"))
	_, err := f.db.OneTimeTokenByHash(f.ctx(), made.Hash)
	f.no(err)
	g, n := f.byToken(made)
	c := completion(n)
	c.Code.Offline, c.Code.Scopes, c.Code.Resources = true, []string{"openid", "roles", "do:read"}, []string{"https://orders.example/api"}
	in, err := f.db.CompleteChallenge(f.ctx(), g, c)
	f.no(err)
	if in.Outcome != store.OutcomeAccepted {
		f.t.Fatalf("by token: %+v", in)
	}
	f.no(f.db.UseAssertion(f.ctx(), random(), f.db.Now().Add(time.Minute)))
	_, err = f.db.CodeResources(f.ctx(), c.Code.Hash, "bookstore")
	f.no(err)
	r := redemption(n)
	r.Resource, r.Refresh = "orders", store.NewRefresh{Hash: random(), Idle: time.Hour, Absolute: time.Hour}
	grant, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	if !slices.Equal(grant.Roles, []string{"CLERK"}) || !slices.Equal(grant.Allowed, []string{"do:read"}) {
		f.t.Fatalf("%+v", grant)
	}
	_, _, err = f.db.GrantAsked(f.ctx(), r.Grant, r.Client)
	f.no(err)
	_, err = f.db.RefreshGrant(f.ctx(), store.Refresh{Grant: r.Grant, Client: r.Client, Presented: r.Refresh.Hash, Genuine: true,
		Next: []store.Hash{random()}, Grace: time.Second, Idle: time.Hour, Resource: "orders"})
	f.no(err)

	provider := store.RandomText(10)
	f.sentMail(made.Email, random(), provider)
	bounce := f.feedback(store.FeedbackBounce, provider)
	bounce.Permanent = true
	_, err = f.db.NotificationTaken(f.ctx(), bounce.Notification)
	f.no(err)
	f.no(f.db.RecordFeedback(f.ctx(), bounce))
	f.no(f.db.TakeNotification(f.ctx(), random(), bounce.Until))
}

// A sign-in reads no table from its beginning, in a database that nobody has analyzed either: a
// new one, or one that was just filled. What was planned then is kept for as long as the connection.
func testSignInPlans(t *testing.T, f *fixture) {
	var plans []string
	var mu sync.Mutex
	f.db = start(t, func() sqlstore.Engine {
		return scripts{explained{f.open(), &plans, func(string) bool { return true }, &mu}}
	})
	f.offered()
	f.signInAll()
	mu.Lock()
	defer mu.Unlock()
	if len(plans) < 50 {
		t.Fatalf("%d lines of plans", len(plans))
	}
	for _, line := range plans {
		if scanned(line) {
			t.Error(line)
		}
	}
}

// signInAll signs somebody up and in, by the second code, with all that an app does then.
func (f *fixture) signInAll() {
	f.t.Helper()
	email := store.Email(store.RandomText(10) + "@example.com")
	f.signUp(email)
	n := f.begin(email)
	n.Purpose = store.PurposeSignIn
	f.begun(n)
	f.db.AdvanceForTest(2 * time.Minute)
	_, err := f.db.ResendCode(f.ctx(), store.Resend{ID: n.ID, Browser: n.Browser, Request: n.Request, Email: n.Email, Address: n.Address, MAC: mac(2),
		CodeTTL: 10 * time.Minute, NextSend: time.Minute, Mail: f.mail(), IP: n.IP, Recipient: n.Recipient, Unknown: n.Unknown})
	f.no(err)
	f.expect(n, 3, store.OutcomeWrong)
	f.expect(n, 1, store.OutcomeAccepted)
	r := redemption(n)
	r.Refresh = store.NewRefresh{Hash: random(), Always: true, Idle: time.Hour, Absolute: time.Hour}
	_, err = f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	_, err = f.db.AccessToken(f.ctx(), r.Grant, r.Access)
	f.no(err)
	_, err = f.db.RefreshToken(f.ctx(), r.Grant, r.Refresh.Hash)
	f.no(err)
	_, err = f.db.RefreshGrant(f.ctx(), store.Refresh{Grant: r.Grant, Client: r.Client, Presented: r.Refresh.Hash, Genuine: true,
		Next: []store.Hash{random()}, Grace: time.Second, Idle: time.Hour, Access: random(), AccessTTL: time.Hour})
	f.no(err)
	_, err = f.db.RevokeToken(f.ctx(), store.Revocation{Grant: r.Grant, Token: random(), Client: r.Client})
	f.no(err)
	f.follows(n, r)
	f.besides()
}
