package mailer_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/keyring"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
)

func TestHandedOverMailGoesAtOnceAndOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.becomes(store.MailSent, o)
	w.db.AdvanceForTest(quick().Lease)
	time.Sleep(300 * time.Millisecond)
	if mails, _ := w.post.count("ada@example.com"); mails != 1 {
		t.Errorf("%d mails", mails)
	}
	if log := w.log.String(); strings.Contains(log, "ada@example.com") || strings.Contains(log, "123456") || !strings.Contains(log, "mail sent") {
		t.Errorf("log: %s", log)
	}
}

// The mail of a repeatable event is named after the event, which may be long ago.
func TestLeaseDoesNotHangOnTheName(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, mailer.Config{}) // no lease ends within the test
	w.run(q)
	o := w.order(q, "ada@example.com", func(n *store.NewChallenge) { n.Mail.ID = store.NewID(w.db.Now().Add(-24 * time.Hour)) })
	o.handTo(q)
	o.handTo(q)
	w.becomes(store.MailSent, o)
	if mails, _ := w.post.count("ada@example.com"); mails != 1 {
		t.Errorf("%d mails", mails)
	}
}

func TestMailWithoutACodeIsSent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", func(n *store.NewChallenge) {
		m := message(store.UsageNoAccount, "en")
		m.To = "ada@example.com"
		n.Mail, _ = q.Seal(m, n.ID)
		n.Mail.Lease = 0 // claimed, with what the row says
	})
	w.becomes(store.MailSent, o)
	if mails, _ := w.post.count("ada@example.com"); mails != 1 {
		t.Errorf("%d mails", mails)
	}
}

func TestMailOfADeadReplicaIsSentAfterItsLease(t *testing.T) {
	t.Parallel()
	w := setup(t)
	dead := w.queue(nil, quick()) // never runs
	o := w.order(dead, "ada@example.com", nil)
	o.handTo(dead)
	w.run(w.queue(nil, quick()))
	time.Sleep(300 * time.Millisecond)
	if mails, _ := w.post.count("ada@example.com"); mails != 0 {
		t.Error("taken over within the lease")
	}
	w.db.AdvanceForTest(quick().Lease)
	w.becomes(store.MailSent, o)
}

func TestFailuresAreTriedAgainByClass(t *testing.T) {
	t.Parallel()
	for _, class := range []mailer.Class{mailer.Temporary, mailer.Throttled, mailer.Paused, mailer.Misconfigured} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.post.fail = func(try int) error {
				if try < 3 {
					return failing(class)(try)
				}
				return nil
			}
			q := w.queue(nil, quick())
			w.run(q)
			o := w.order(q, "ada@example.com", nil)
			o.handTo(q)
			w.becomes(store.MailSent, o)
			if mails, tries := w.post.count("ada@example.com"); mails != 1 || tries != 3 {
				t.Errorf("%d mails in %d tries", mails, tries)
			}
			log := w.log.String()
			if strings.Contains(log, "ada@example.com") || strings.Contains(log, "123456") {
				t.Errorf("log: %s", log)
			}
			if class == mailer.Misconfigured && !strings.Contains(log, "idp connector set post") {
				t.Errorf("the log does not say what to fix: %s", log)
			}
		})
	}
}

func TestRefusedMailIsGivenUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = failing(mailer.Refused)
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.becomes(store.MailFailed, o)
	if _, tries := w.post.count(""); tries != 1 {
		t.Errorf("%d tries", tries)
	}
}

func TestMailExpiresWithItsCode(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = failing(mailer.Temporary)
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", func(n *store.NewChallenge) { n.Mail.TTL = time.Minute })
	o.handTo(q)
	w.until("tries", func() bool { _, tries := w.post.count(""); return tries > 1 })
	if s := w.state(o); s != store.MailQueued {
		t.Errorf("in state %d while there is time", s)
	}
	w.db.AdvanceForTest(46 * time.Second) // a quarter of its life is left at the last call
	w.becomes(store.MailExpired, o)
}

func TestMailWaitsForAConnector(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u := &unset{DB: w.db, log: w.log}
	q := w.queue(u, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.becomes(store.MailSent, o)
	if n := strings.Count(w.log.String(), whatToFix); n != 1 {
		t.Errorf("said %d times what to fix: %s", n, w.log)
	}
}

// It is said also where the mail was given back before the dispatcher looked at it.
func TestMailGivenBackForWantOfAConnector(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u := &unset{DB: w.db, log: w.log}
	q := w.queue(u, quick())
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	ctx, stop := context.WithCancel(t.Context())
	var claimer sync.WaitGroup
	claimer.Go(func() { q.ClaimForTest(ctx) })
	w.until("what to fix", func() bool { return strings.Contains(w.log.String(), whatToFix) })
	stop()
	claimer.Wait()
}

const whatToFix = "idp connector set"

// unset is the real store before an operator has set a connector up, who takes a
// while to do so after the log said it.
type unset struct {
	*sqlstore.DB
	log  *logbook
	said atomic.Int32 // looks since
}

func (s *unset) Connectors(ctx context.Context) ([]store.Connector, error) {
	if !strings.Contains(s.log.String(), whatToFix) || s.said.Add(1) < 20 {
		return nil, nil
	}
	return s.DB.Connectors(ctx)
}

func TestNextConnectorTakesOver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.connect("broken", "{}") // first now
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.becomes(store.MailSent, o)
	if log := w.log.String(); !strings.Contains(log, "region is missing") {
		t.Errorf("the broken connector is not mentioned: %s", log)
	}
}

func TestDecoyGoesThroughTheSameStatesAndNowhere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, quick())
	w.run(q)
	unknown := func(n *store.NewChallenge) {
		n.Unknown = store.Limit{Name: "unknown", Key: store.Hash{9}, Windows: [2]store.Window{{Count: 1, Period: time.Hour}}}
	}
	first := w.order(q, "eve@example.com", unknown)
	first.handTo(q)
	w.becomes(store.MailSent, first)
	second, third := w.order(q, "eve@example.com", unknown), w.order(q, "eve@example.com", unknown)
	if !second.begun.Decoy {
		t.Fatal("the second mail is no decoy")
	}
	second.handTo(q)
	w.becomes(store.MailSent, second)
	w.db.AdvanceForTest(quick().Lease)
	w.becomes(store.MailSent, third) // never handed over: claimed, with the decoy mark from its row
	if mails, _ := w.post.count("eve@example.com"); mails != 1 {
		t.Errorf("%d mails", mails)
	}
}

func TestDecoyFailsLikeTheOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = failing(mailer.Temporary)
	q := w.queue(nil, quick())
	w.run(q)
	real := w.order(q, "ada@example.com", nil)
	real.handTo(q)
	w.until("an attempt", func() bool { return strings.Contains(w.log.String(), "mail not sent") })
	decoy := w.order(q, "eve@example.com", nil)
	decoy.begun.Decoy = true
	decoy.handTo(q)
	w.until("an attempt of the decoy", func() bool { return strings.Contains(w.log.String(), decoy.mail.ID.String()) })
	if s := w.state(decoy); s != store.MailQueued {
		t.Errorf("the decoy is in state %d while real mails wait", s)
	}
}

func TestStopFinishesSendsInFlightAndGivesBackTheRest(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.hold = make(chan struct{})
	c := quick()
	c.Workers, c.Lease = 1, 30*time.Second
	q := w.queue(nil, c)
	stop := w.run(q)
	first := w.order(q, "ada@example.com", nil)
	first.handTo(q)
	w.until("a send in flight", func() bool { _, tries := w.post.count(""); return tries == 1 })
	second := w.order(q, "bob@example.com", nil)
	second.handTo(q)
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	time.Sleep(50 * time.Millisecond)
	close(w.post.hold)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if s := w.state(first); s != store.MailSent {
		t.Errorf("the mail in flight is in state %d", s)
	}
	// Half a minute of lease is left, but it was given back.
	w.run(w.queue(nil, quick()))
	w.becomes(store.MailSent, second)
}

func TestResultsSurviveADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	w := setup(t)
	away := &awayStore{DB: w.db, failures: 3}
	c := quick()
	c.SettleEvery = 250 * time.Millisecond // all end within a few of these
	q := w.queue(away, c)
	w.run(q)
	orders := w.orders(100, func(i int) order { return w.order(q, fmt.Sprintf("p%d@example.com", i), nil) })
	for _, o := range orders {
		o.handTo(q)
	}
	for _, o := range orders {
		w.becomes(store.MailSent, o)
		if mails, _ := w.post.count(string(o.message.To)); mails != 1 {
			t.Errorf("%s got %d mails", o.message.To, mails)
		}
	}
	away.mu.Lock()
	defer away.mu.Unlock()
	if away.writes > 25 {
		t.Errorf("%d commits for 100 results", away.writes)
	}
}

// awayStore is the real store behind a network that fails a few times.
type awayStore struct {
	*sqlstore.DB
	mu       sync.Mutex
	failures int
	writes   int
}

func (s *awayStore) SettleMail(ctx context.Context, r []store.Settled) error {
	s.mu.Lock()
	s.writes++
	fail := s.failures > 0
	s.failures--
	s.mu.Unlock()
	if fail {
		return &store.Error{Code: store.Unavailable, Op: "settle mail"}
	}
	return s.DB.SettleMail(ctx, r)
}

func TestTwoReplicasSendEachMailOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	replicas := []*mailer.Queue{w.queue(nil, quick()), w.queue(nil, quick())}
	orders := w.orders(1000, func(i int) order {
		return w.order(replicas[i%2], fmt.Sprintf("p%d@example.com", i), func(n *store.NewChallenge) {
			if i%3 == 0 {
				n.Mail.Lease = 0 // as if its replica had died: both may claim it
			}
		})
	})
	for _, q := range replicas {
		w.run(q)
	}
	for i, o := range orders {
		if i%3 != 0 {
			o.handTo(replicas[i%2])
		}
	}
	w.until("an empty queue", func() bool {
		n, _, err := w.db.MailDepth(t.Context())
		return err == nil && n == 0
	})
	for _, o := range orders {
		if n, _ := w.post.count(string(o.message.To)); n != 1 {
			t.Errorf("%s got %d mails", o.message.To, n)
		}
	}
}

func TestSentNeverBlocks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := quick()
	c.Backlog = 1
	q := w.queue(nil, c) // not running
	var orders []order
	for i := range 3 {
		o := w.order(q, fmt.Sprintf("p%d@example.com", i), nil)
		o.handTo(q)
		orders = append(orders, o)
	}
	w.run(q)
	w.becomes(store.MailSent, orders[0])
	w.db.AdvanceForTest(c.Lease)
	for _, o := range orders {
		w.becomes(store.MailSent, o)
	}
}

// A replica that does not know a new secret leaves the mail to one that does.
func TestPayloadThatDoesNotOpenIsLeftToOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.run(w.queue(nil, quick()))
	old, now := w.ring, bytes.Repeat([]byte{8}, keyring.SecretSize)
	rotated, err := keyring.New(now, bytes.Repeat([]byte{7}, keyring.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	w.ring = rotated
	newer := w.queue(nil, quick())
	w.ring = old
	o := w.order(newer, "ada@example.com", func(n *store.NewChallenge) { n.Mail.Lease = 0 })
	w.until("a complaint", func() bool { return strings.Contains(w.log.String(), "does not open") })
	if s := w.state(o); s != store.MailQueued {
		t.Errorf("the mail is in state %d", s)
	}
	w.run(newer)
	w.becomes(store.MailSent, o)
}

func TestPayloadOfAnotherChallengeDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", func(n *store.NewChallenge) {
		other, _ := q.Seal(message(store.UsageSignIn, "en"), store.ID{1})
		n.Mail.Payload, n.Mail.Lease, n.Mail.TTL = other.Payload, 0, time.Second
	})
	w.becomes(store.MailExpired, o)
}

func TestLeaseHasToOutliveASend(t *testing.T) {
	t.Parallel()
	ring, _ := keyring.New(make([]byte, keyring.SecretSize))
	if _, err := mailer.New(mailer.Deps{Ring: ring, Config: mailer.Config{Lease: 10 * time.Second}}); err == nil {
		t.Error("accepted")
	}
}
