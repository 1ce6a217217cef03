package storetest

import (
	"fmt"
	"testing"
	"time"

	"idp/store"
)

// waiting is a mail that a replica died over: it may be claimed.
func (f *fixture) waiting(email store.Email, ttl time.Duration) store.NewMail {
	n := f.begin(email)
	n.Mail.TTL, n.Mail.Lease = ttl, 0
	return f.begun(n).Mail
}

func (f *fixture) claim(limit int) []store.QueuedMail {
	f.t.Helper()
	mails, err := f.db.ClaimMail(f.ctx(), store.NewID(time.Now()), time.Minute, limit)
	f.no(err)
	return mails
}

// mailIs fails the test unless the row is in the state.
func (f *fixture) mailIs(id store.ID, state store.MailState) {
	f.t.Helper()
	if n := f.count(`SELECT COUNT(*) FROM mail WHERE id = $1 AND state = $2`, id[:], int16(state)); n != 1 {
		f.t.Errorf("mail %s is not in state %d", id, state)
	}
}

func testMailOrder(t *testing.T, f *fixture) {
	var want []store.ID
	for i := range 9 { // the lives are in no order
		life := time.Duration(5+(i*4)%9) * time.Minute
		m := f.waiting(store.Email(fmt.Sprintf("p%d@example.com", i)), life)
		want = append(want, m.ID)
		if n := f.claim(0); n != nil {
			t.Fatal("claimed with limit 0")
		}
	}
	for left, limit := 9, 3; left > 0; left -= limit {
		got := f.claim(limit)
		if len(got) != limit {
			t.Fatalf("claimed %d", len(got))
		}
		for k, m := range got {
			i := (left - 1 - k) * 7 % 9 // the inverse of 4 modulo 9 is 7
			if m.ID != want[i] {
				t.Errorf("with %d left, place %d is another mail", left, k)
			}
			if m.ExpiresAt.Sub(m.CreatedAt) != time.Duration(5+left-1-k)*time.Minute {
				t.Errorf("life %s", m.ExpiresAt.Sub(m.CreatedAt))
			}
		}
	}
}

func testMailLastCall(t *testing.T, f *fixture) {
	long := f.waiting("ada@example.com", 10*time.Minute)
	leased := f.begun(f.begin("bob@example.com")).Mail // ten minutes, too
	f.exec(`UPDATE mail SET due_at = $1 WHERE id = $2`, f.db.Now().Add(time.Hour).UnixMicro(), leased.ID[:])
	short := f.waiting("eve@example.com", 9*time.Minute+40*time.Second)
	brief := f.waiting("dan@example.com", 2*time.Minute) // a quarter of it is half a minute
	f.db.AdvanceForTest(75 * time.Second)
	if got := f.claim(1); len(got) != 1 || got[0].ID != long.ID {
		t.Fatalf("claimed %+v", got)
	}
	f.mailIs(brief.ID, store.MailQueued)
	f.db.AdvanceForTest(20 * time.Second)
	f.claim(0)
	f.mailIs(brief.ID, store.MailExpired)
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: long.ID, State: store.MailQueued, Sender: "smtp", Error: "busy"}}))
	f.db.AdvanceForTest(7*time.Minute + 10*time.Second) // 75 s and 55 s are left, less what the test took
	if got := f.claim(10); len(got) != 1 || got[0].ID != long.ID {
		t.Fatalf("claimed %+v", got)
	}
	f.mailIs(short.ID, store.MailExpired)
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: long.ID, State: store.MailQueued}})) // given back without an attempt
	if n := f.count(`SELECT COUNT(*) FROM mail WHERE id = $1 AND sender = 'smtp' AND error = 'busy'`, long.ID[:]); n != 1 {
		t.Error("a mail that was given back forgot its last attempt")
	}
	f.db.AdvanceForTest(20 * time.Second)
	if got := f.claim(10); len(got) != 0 {
		t.Fatalf("claimed %+v", got)
	}
	f.mailIs(long.ID, store.MailExpired)
	f.mailIs(leased.ID, store.MailQueued) // its holder decides
	if n := f.count(`SELECT COUNT(*) FROM mail WHERE payload IS NULL AND error = $1`, store.DroppedMail); n != 3 {
		t.Errorf("%d dropped mails say so", n)
	}
}

// A claim costs the same however many mails are leased or wait for a retry, and
// however long the backlog is.
func testMailBacklog(t *testing.T, f *fixture) {
	const many = 20_000
	m := f.begun(f.begin("ada@example.com")).Mail
	at := f.db.Now()
	fill := func(from int, due time.Time) {
		f.exec(`
			INSERT INTO mail (id, challenge, usage, payload, decoy, state, attempts, worker, due_at, created_at, expires_at, sender, provider_id, error)
			WITH RECURSIVE n (i) AS (SELECT CAST($2 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $3)
			SELECT `+f.key("n.i")+`, challenge, usage, payload, 0, 1, 0, worker, $4, created_at, $5 + i, '', '', '' FROM mail, n WHERE id = $1`,
			m.ID[:], from, from+many-1, due.UnixMicro(), at.Add(10*time.Minute).UnixMicro())
	}
	claim := func(n int) time.Duration {
		t.Helper()
		best := time.Hour
		for range 5 { // a busy machine is slow now and then
			start := time.Now()
			if got := f.claim(n); len(got) != n {
				t.Fatalf("claimed %d, want %d", len(got), n)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	fill(1, at.Add(time.Hour)) // leased
	for i := range 5 * 3 {
		f.waiting(store.Email(fmt.Sprintf("p%d@example.com", i)), 9*time.Minute)
	}
	leased := claim(3)
	f.exec(`UPDATE mail SET due_at = 0 WHERE state = 1 AND expires_at > $1`, at.Add(10*time.Minute).UnixMicro())
	backlog := claim(256)
	t.Logf("a claim of 3 over %d leased mails: %s; of 256 from a backlog of %d: %s", many, leased, many, backlog)
	if leased > 500*time.Millisecond || backlog > 500*time.Millisecond {
		t.Errorf("too slow: it looks at too many rows")
	}
	first := f.claim(1)
	if len(first) != 1 || f.count(`SELECT COUNT(*) FROM mail WHERE state = 1 AND due_at = 0 AND expires_at > $1`, first[0].ExpiresAt.UnixMicro()) != 0 {
		t.Error("the one with most life left is not the first")
	}
}

// key is an SQL expression that makes an id of a number: each engine has its own.
func (f *fixture) key(number string) string {
	e := f.open()
	defer func() { _ = e.Close() }()
	if e.SkipLocked() == "" { // SQLite
		return `CAST(printf('%016d', ` + number + `) AS BLOB)`
	}
	return `convert_to(lpad(CAST(` + number + ` AS TEXT), 16, '0'), 'UTF8')`
}

func testMailRefused(t *testing.T, f *fixture) {
	addressed := func(email store.Email, change func(*store.NewMail)) store.NewMail {
		n := f.begin(email)
		n.Mail.Address, n.Mail.Recipient, n.Mail.Lease = random(), []byte("sealed "+email), 0
		if change != nil {
			change(&n.Mail)
		}
		return f.begun(n).Mail
	}
	refused, taken := addressed("ada@example.com", nil), addressed("bob@example.com", nil)
	nameless := addressed("eve@example.com", func(m *store.NewMail) { m.Address, m.Recipient = store.Hash{}, nil })
	expired := addressed("dan@example.com", nil)
	f.claim(10)
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{
		{ID: refused.ID, State: store.MailFailed, Sender: "smtp", Error: "no such user", Refused: true},
		{ID: nameless.ID, State: store.MailFailed, Sender: "smtp", Error: "no such user", Refused: true},
		{ID: taken.ID, State: store.MailSent, Sender: "smtp"},
		{ID: expired.ID, State: store.MailExpired},
	}))
	if n := f.count(`SELECT COUNT(*) FROM suppression`); n != 1 {
		t.Fatalf("%d addresses on the list", n)
	}
	if n := f.count(`SELECT COUNT(*) FROM suppression WHERE address = $1 AND recipient = $2 AND reason = 'refused' AND detail = 'no such user'
		AND sender = 'smtp' AND mail = $3`, refused.Address[:], refused.Recipient, refused.ID[:]); n != 1 {
		t.Error("not the one that refused")
	}
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: taken.ID, State: store.MailFailed, Refused: true}})) // too late
	if n := f.count(`SELECT COUNT(*) FROM suppression`); n != 1 {
		t.Error("a mail that was settled as sent put its address on the list")
	}
	again := f.begin("ada@example.com")
	again.Mail.Address, again.Mail.Recipient = refused.Address, refused.Recipient
	begun, err := f.db.BeginChallenge(f.ctx(), again)
	f.no(err)
	if !begun.Suppressed {
		t.Error("the next mail to that address is not suppressed")
	}
}

func testConnectorHealth(t *testing.T, f *fixture) {
	one, two := store.NewID(time.Now()), store.NewID(time.Now())
	tell := func(connector string, replica store.ID, health string) {
		t.Helper()
		f.no(f.db.SetConnectorHealth(f.ctx(), store.ConnectorHealth{Connector: connector, Replica: replica, Health: []byte(health)}))
	}
	tell("smtp", one, `{"state":"open"}`)
	tell("smtp", two, `{"state":"closed"}`)
	f.db.AdvanceForTest(time.Minute)
	tell("smtp", one, `{"state":"closed"}`)
	rows, err := f.replica().ConnectorHealth(f.ctx())
	f.no(err)
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		if string(r.Health) != `{"state":"closed"}` || r.Connector != "smtp" {
			t.Errorf("%+v", r)
		}
		if age := f.db.Now().Sub(r.At); r.Replica == one && age > 30*time.Second || r.Replica == two && age < 30*time.Second {
			t.Errorf("age %s", age)
		}
	}
	f.db.AdvanceForTest(9*time.Minute + 30*time.Second)
	_, err = f.db.Purge(f.ctx(), 100)
	f.no(err)
	rows, err = f.db.ConnectorHealth(f.ctx())
	f.no(err)
	if len(rows) != 1 || rows[0].Replica != one {
		t.Errorf("after the purge: %+v", rows)
	}
}

// What goes back late does not cut short the lease of who took it over.
func testMailGoesBackLate(t *testing.T, f *fixture) {
	m := f.waiting("ada@example.com", 10*time.Minute)
	before := f.db.Now().Add(30 * time.Second)
	if got := f.claim(1); len(got) != 1 { // for a minute
		t.Fatalf("claimed %d", len(got))
	}
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: m.ID, State: store.MailQueued, Leased: before}}))
	if got := f.claim(1); len(got) != 0 {
		t.Fatal("claimed from who holds it")
	}
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: m.ID, State: store.MailQueued, Leased: f.db.Now().Add(2 * time.Minute)}}))
	if got := f.claim(1); len(got) != 1 {
		t.Fatal("it did not go back")
	}
}

// A claim tells whether the address takes no mail any more.
func testMailListedLater(t *testing.T, f *fixture) {
	n := f.begin("ada@example.com")
	n.Mail.Address, n.Mail.Recipient, n.Mail.Lease = random(), []byte("sealed"), 0
	m := f.begun(n).Mail
	f.waiting("bob@example.com", 9*time.Minute)
	f.no(f.db.Suppress(f.ctx(), store.Suppression{Address: m.Address, Recipient: m.Recipient, Reason: store.ReasonManual}, store.Hash{}))
	got := f.claim(2)
	if len(got) != 2 || got[0].ID != m.ID || !got[0].Listed || got[1].Listed {
		t.Errorf("claimed %+v", got)
	}
}
