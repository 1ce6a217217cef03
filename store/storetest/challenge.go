package storetest

import (
	"reflect"
	"testing"
	"time"

	"idp/store"
)

func testSignIn(t *testing.T, f *fixture) {
	n := f.begin("ada@example.com")
	begun, err := f.db.BeginChallenge(f.ctx(), n)
	f.no(err)
	if begun.Sends != 1 || begun.Decoy || begun.Again || begun.NextSend.Sub(begun.SentAt) != time.Minute || begun.ExpiresAt.Sub(begun.SentAt) != 30*time.Minute {
		t.Errorf("begun: %+v", begun)
	}
	if users := f.count(`SELECT COUNT(*) FROM users`); users != 0 {
		t.Error("an account appeared before its address was verified")
	}
	if in := f.expect(n, 7, store.OutcomeWrong); in.TriesLeft != 4 {
		t.Errorf("%d tries left, want 4", in.TriesLeft)
	}
	in := f.expect(n, 1, store.OutcomeAccepted)
	c := completion(n)
	if made := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'user.registered' AND user_id = $1`, in.User); made != 1 {
		t.Errorf("%d registrations are recorded, want 1", made)
	}

	s, err := f.db.Session(f.ctx(), c.Session.Hash, n.Browser)
	f.no(err)
	if s.User.ID != in.User || s.User.Email != "ada@example.com" || len(s.AMR) != 1 || s.AMR[0] != "otp" {
		t.Errorf("session: %+v", s)
	}
	r := redemption(n)
	g, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	if g.User.ID != in.User || g.Nonce != "n" || len(g.Scopes) != 2 || g.Session != c.Session.Hash || !g.AuthTime.Equal(s.AuthTime) || g.ID != r.Grant {
		t.Errorf("grant: %+v", g)
	}
	token, err := f.db.AccessToken(f.ctx(), r.Grant, r.Access)
	f.no(err)
	if !reflect.DeepEqual(token.User, g.User) || token.Client != "bookstore" || len(token.Scopes) != 2 {
		t.Errorf("access token: %+v", token)
	}
	_, err = f.db.AccessToken(f.ctx(), r.Grant, random())
	f.want(err, store.NotFound)

	// The same request again (its first answer was lost) gives the same grant.
	_, err = f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	// Another request with the code is a replay: what it gave is revoked.
	_, err = f.db.RedeemCode(f.ctx(), redemption(n))
	f.want(err, store.Used)
	_, err = f.db.AccessToken(f.ctx(), r.Grant, r.Access)
	f.want(err, store.NotFound)
}

func testOutcomes(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	for left := 4; left > 0; left-- {
		if in := f.expect(n, 7, store.OutcomeWrong); in.TriesLeft != left {
			t.Errorf("%d tries left, want %d", in.TriesLeft, left)
		}
	}
	f.expect(n, 7, store.OutcomeSpent)
	f.expect(n, 1, store.OutcomeSpent)

	n = f.begun(f.begin("bob@example.com"))
	f.db.AdvanceForTest(11 * time.Minute)
	f.expect(n, 1, store.OutcomeStale)
	f.db.AdvanceForTest(20 * time.Minute)
	f.expect(n, 1, store.OutcomeExpired)

	n = f.begun(f.begin("eve@example.com"))
	f.expect(n, 1, store.OutcomeAccepted)
	f.db.AdvanceForTest(65 * time.Second)
	f.expect(n, 1, store.OutcomeUsed)
	if s, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser); err != nil || !s.Consumed {
		t.Error(s, err)
	}
}

// A code works in the browser that asked, for its purpose and its request, and a
// stranger's attempt costs the owner no try.
func testBinding(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	for name, change := range map[string]func(*store.NewChallenge){
		"browser":   func(n *store.NewChallenge) { n.Browser = random() },
		"purpose":   func(n *store.NewChallenge) { n.Purpose = store.PurposeRecover },
		"request":   func(n *store.NewChallenge) { n.Request = store.NewID(time.Now()) },
		"challenge": func(n *store.NewChallenge) { n.ID = store.NewID(time.Now()) },
	} {
		other := n
		change(&other)
		if in := f.try(other, 1); in.Outcome != store.OutcomeGone {
			t.Errorf("another %s: outcome %d", name, in.Outcome)
		}
	}
	if tries := f.count(`SELECT tries FROM challenge WHERE id = $1`, n.ID[:]); tries != 0 {
		t.Errorf("strangers used %d tries", tries)
	}
	_, err := f.db.ChallengeState(f.ctx(), n.ID, random())
	f.want(err, store.NotFound)
	f.expect(n, 1, store.OutcomeAccepted)
}

// Another browser's request for the same address leaves this one's code right.
func testAttemptsStayApart(t *testing.T, f *fixture) {
	mine, theirs := f.begun(f.begin("ada@example.com")), f.begun(f.begin("ada@example.com"))
	for range 5 {
		f.try(theirs, 7)
	}
	f.expect(theirs, 1, store.OutcomeSpent)
	f.expect(mine, 1, store.OutcomeAccepted)
}

func testResend(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	var last store.Begun
	again := func(code int) (err error) {
		last, err = f.db.ResendCode(f.ctx(), store.Resend{ID: n.ID, Browser: n.Browser, Request: n.Request, Email: n.Email, MAC: mac(code),
			CodeTTL: 10 * time.Minute, NextSend: 2 * time.Minute, Mail: f.mail(), IP: n.IP, Recipient: n.Recipient, Unknown: n.Unknown})
		return err
	}
	f.expect(n, 7, store.OutcomeWrong)
	err := again(2)
	f.want(err, store.Limited) // too early
	f.db.AdvanceForTest(65 * time.Second)
	f.no(again(2))
	if last.Sends != 2 || last.NextSend.Sub(last.SentAt) != 2*time.Minute {
		t.Errorf("second mail: %+v", last)
	}
	f.want(again(3), store.Limited)
	f.db.AdvanceForTest(125 * time.Second)
	f.no(again(3))
	if last.Sends != 3 || !last.NextSend.IsZero() {
		t.Errorf("third and last mail: %+v", last)
	}
	f.db.AdvanceForTest(125 * time.Second)
	f.want(again(4), store.Spent)
	st, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser)
	f.no(err)
	if st.TriesLeft != 4 || st.Sends != 3 || st.SendsLeft != 0 || st.Mail != store.MailQueued {
		t.Errorf("a resend resets no try: %+v", st)
	}
	if mails := f.count(`SELECT COUNT(*) FROM mail`); mails != 3 {
		t.Errorf("%d mails, want 3", mails)
	}
	f.expect(n, 4, store.OutcomeWrong)
	f.db.AdvanceForTest(5 * time.Minute) // the first code is 10 minutes old, the others are not
	f.expect(n, 1, store.OutcomeStale)
	f.expect(n, 2, store.OutcomeAccepted)
	f.want(again(5), store.Used)
	n.Browser = random()
	f.want(again(5), store.NotFound)
}

// Signing in without an account and registering with one ask first; the code
// stays right for the answer.
func testConfirm(t *testing.T, f *fixture) {
	n := f.begin("ada@example.com")
	n.Purpose = store.PurposeSignIn
	f.begun(n)
	f.expect(n, 1, store.OutcomeConfirm)
	if rows := f.count(`SELECT COUNT(*) FROM users`) + f.count(`SELECT COUNT(*) FROM session`); rows != 0 {
		t.Error("something was written before the person agreed")
	}
	g := guess(n, 1)
	g.Confirm = true
	in, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
	f.no(err)
	if in.Outcome != store.OutcomeAccepted {
		t.Fatalf("outcome %d", in.Outcome)
	}
	again := f.begun(f.begin("ada@example.com"))
	f.expect(again, 1, store.OutcomeConfirm)
	g = guess(again, 1)
	g.Confirm = true
	known, err := f.db.CompleteChallenge(f.ctx(), g, completion(again))
	f.no(err)
	if known.Outcome != store.OutcomeAccepted || known.User != in.User {
		t.Errorf("signed in as %q (%d), registered as %q", known.User, known.Outcome, in.User)
	}
}

func testDoubleClick(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	first := f.expect(n, 1, store.OutcomeAccepted)
	f.db.AdvanceForTest(30 * time.Second)
	second := f.expect(n, 1, store.OutcomeAccepted)
	if first.User != second.User || first.RefundUnits != 1 || second.RefundUnits != 0 {
		t.Errorf("first %+v, second %+v", first, second)
	}
	f.expect(n, 2, store.OutcomeUsed) // another code has no grace
	for _, table := range []string{"users", "session", "auth_code", "event"} {
		if rows := f.count(`SELECT COUNT(*) FROM ` + table); rows != 1 {
			t.Errorf("%d rows in %s, want 1", rows, table)
		}
	}
}

func testRefund(t *testing.T, f *fixture) {
	ip := limit("ip_sends", 2, time.Hour)
	for range 3 { // each redeemed challenge makes room for the next
		n := f.begin("ada@example.com")
		n.IP = ip
		f.begun(n)
		g := guess(n, 1)
		g.Confirm = true
		in, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
		if in.Refund != ip.Key || in.RefundUnits != 1 {
			t.Fatalf("%+v", in)
		}
		f.no(f.db.Refund(f.ctx(), map[store.Limit]int{ip: in.RefundUnits}))
	}
	for i := range 3 {
		n := f.begin("ada@example.com")
		n.IP = ip
		_, err := f.db.BeginChallenge(f.ctx(), n)
		if (err != nil) != (i == 2) {
			t.Fatalf("request %d: %v", i, err)
		}
	}
}

// Beyond their limit, mails to an address without an account are decoys, and
// nothing that the visitor sees tells.
func testDecoy(t *testing.T, f *fixture) {
	f.signUp("ada@example.com")
	for _, known := range []bool{true, false} {
		email := store.Email("nobody@example.com")
		if known {
			email = "ada@example.com"
		}
		unknown := limit("unknown_sends", 1, time.Hour)
		for i := range 2 {
			n := f.begin(email)
			n.Unknown = unknown
			begun, err := f.db.BeginChallenge(f.ctx(), n)
			f.no(err)
			if want := !known && i == 1; begun.Decoy != want {
				t.Errorf("known %t, mail %d: decoy %t", known, i+1, begun.Decoy)
			}
			st, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser)
			f.no(err)
			if st.Mail != store.MailQueued || st.Sends != 1 {
				t.Errorf("state %+v", st)
			}
		}
	}
}

func testSuspended(t *testing.T, f *fixture) {
	n, user := f.signUp("ada@example.com")
	r := redemption(n)
	_, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	f.exec(`UPDATE users SET suspended_at = $1 WHERE id = $2`, f.db.Now().UnixMicro(), user)

	again := f.begin("ada@example.com")
	again.Purpose = store.PurposeSignIn
	f.begun(again)
	f.expect(again, 7, store.OutcomeWrong) // told only after a right code
	f.expect(again, 1, store.OutcomeSuspended)
	_, err = f.db.Session(f.ctx(), completion(n).Session.Hash, n.Browser)
	f.want(err, store.NotFound)
	_, err = f.db.AccessToken(f.ctx(), r.Grant, r.Access)
	f.want(err, store.NotFound)
	_, err = f.db.CompleteSession(f.ctx(), completion(n).Session.Hash, n.Browser, completion(n))
	f.want(err, store.NotFound)
}

// A refusal writes nothing: not the limit that refused, nor anything after it.
func testRefusedLimitWritesNothing(t *testing.T, f *fixture) {
	recipient := limit("recipient_sends", 1, time.Hour)
	n := f.begin("ada@example.com")
	n.Recipient = recipient
	f.begun(n)
	before := f.count(`SELECT COUNT(*) FROM budget`)
	tat := f.count(`SELECT tat FROM budget WHERE key = $1`, recipient.Key[:])
	for range 3 {
		n := f.begin("ada@example.com")
		n.Recipient = recipient
		_, err := f.db.BeginChallenge(f.ctx(), n)
		f.want(err, store.Limited)
	}
	// Each refused request has charged its own network's row, which comes first.
	if after := f.count(`SELECT COUNT(*) FROM budget`); after != before+3 {
		t.Errorf("%d budget rows, want %d", after, before+3)
	}
	if now := f.count(`SELECT tat FROM budget WHERE key = $1`, recipient.Key[:]); now != tat {
		t.Error("the refused budget moved")
	}
	if rows := f.count(`SELECT COUNT(*) FROM challenge`) + f.count(`SELECT COUNT(*) FROM mail`); rows != 2 {
		t.Errorf("%d rows of challenge and mail, want 2", rows)
	}
}

// A form that is sent twice begins one challenge, mails once and charges once.
func testBegunTwice(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	again := n
	again.MAC, again.Mail = mac(2), f.mail()
	before := f.count(`SELECT CAST(SUM(tat) / 1000000 AS BIGINT) FROM budget`)
	for range 3 {
		_, err := f.db.BeginChallenge(f.ctx(), again)
		f.want(err, store.Conflict)
	}
	if after := f.count(`SELECT CAST(SUM(tat) / 1000000 AS BIGINT) FROM budget`); after != before {
		t.Error("the second form was charged")
	}
	if mails := f.count(`SELECT COUNT(*) FROM mail`); mails != 1 {
		t.Errorf("%d mails, want 1", mails)
	}
	f.expect(n, 1, store.OutcomeAccepted)
}
