package mailer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
)

// A burst beyond what the rate lets through within a lease goes on at that rate, and
// does not stand still until the leases end.
func TestBurstWaitsForTheRateAndNotForItsLeases(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.account("rated", mailer.Quota{PerSecond: 12.5})
	if err := w.db.DeleteConnector(t.Context(), "post", time.Time{}); err != nil {
		t.Fatal(err)
	}
	c := quick()
	c.SendTimeout, c.Slack, c.Lease = 20*time.Second, time.Second, 22*time.Second // so a mail waits for a second at most
	q := w.queue(nil, c)
	w.run(q)
	w.until("the quota", func() bool { return a.reads.Load() > 0 })
	start := time.Now()
	w.send(q, 18, store.MailSent)
	if took := time.Since(start); took > c.SendTimeout-time.Second {
		t.Errorf("18 mails at 10 a second took %s: a lease", took)
	}
	for i := range 18 {
		if n, _ := a.count(fmt.Sprintf("p%d@example.com", i)); n > 1 {
			t.Errorf("mail %d came %d times", i, n)
		}
	}
}

// A replica that stops does not give away what another one took over from it.
func TestStopLeavesMailsOfOthersAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.hold = make(chan struct{})
	c := quick()
	c.Workers = 1
	one := w.queue(nil, c)
	first := w.order(one, "ada@example.com", nil)
	first.handTo(one)
	mine := w.order(one, "bob@example.com", nil)
	mine.handTo(one)
	w.db.AdvanceForTest(c.Lease)
	taken, err := w.db.ClaimMail(t.Context(), store.NewID(time.Now()), time.Hour, 10)
	if err != nil || len(taken) != 2 {
		t.Fatalf("took over %d: %v", len(taken), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := one.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if again, err := w.db.ClaimMail(t.Context(), store.NewID(time.Now()), time.Hour, 10); err != nil || len(again) != 0 {
		t.Errorf("%d mails can be taken from who holds them: %v", len(again), err)
	}
}

// A mail that waits when its address goes on the suppression list is not sent.
func TestWaitingMailOfASuppressedAddress(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, quick())
	o := w.order(q, "ada@example.com", func(n *store.NewChallenge) { n.Mail.Lease = 0 })
	if err := mailer.NewSuppressions(w.db, w.ring).Add(t.Context(), "ada@example.com", "by hand"); err != nil {
		t.Fatal(err)
	}
	w.run(q)
	w.becomes(store.MailSuppressed, o)
	if n, _ := w.post.count("ada@example.com"); n != 0 {
		t.Error("it was sent")
	}
}

// outage is the real store, which may be away.
type outage struct {
	*sqlstore.DB
	away atomic.Bool
}

var errAway = &store.Error{Code: store.Unavailable, Op: "reach the database"}

func (s *outage) SettleMail(ctx context.Context, r []store.Settled) error {
	if s.away.Load() {
		return errAway
	}
	return s.DB.SettleMail(ctx, r)
}

func (s *outage) ClaimMail(ctx context.Context, worker store.ID, lease time.Duration, limit int) ([]store.QueuedMail, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.DB.ClaimMail(ctx, worker, lease, limit)
}

// silent is the real store, whose answer to what goes back comes only after the next claim.
type silent struct {
	*sqlstore.DB
	once    sync.Once
	claimed chan struct{}
}

func (s *silent) SettleMail(ctx context.Context, r []store.Settled) error {
	err := s.DB.SettleMail(ctx, r)
	if slices.ContainsFunc(r, func(s store.Settled) bool { return s.State == store.MailQueued }) {
		select {
		case <-s.claimed:
		case <-ctx.Done():
		}
	}
	return err
}

func (s *silent) ClaimMail(ctx context.Context, worker store.ID, lease time.Duration, limit int) ([]store.QueuedMail, error) {
	mails, err := s.DB.ClaimMail(ctx, worker, lease, limit)
	if len(mails) > 0 {
		s.once.Do(func() { close(s.claimed) })
	}
	return mails, err
}

// A mail that went back and is claimed before that is known here is sent, and not left until the
// lease of that claim ends.
func TestMailIsClaimedBeforeItIsKnownThatItWentBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = func(try int) error {
		if try == 1 {
			return failing(mailer.Temporary)(try)
		}
		return nil
	}
	q := w.queue(&silent{DB: w.db, claimed: make(chan struct{})}, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	start := time.Now()
	o.handTo(q)
	w.becomes(store.MailSent, o)
	if took := time.Since(start); took > quick().Lease*3/4 {
		t.Errorf("sent after %s: a lease", took)
	}
	if n, _ := w.post.count("ada@example.com"); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// The database is away for longer than a lease while mails are sent: after it, what was
// sent is written down before anybody takes it over.
func TestOutageOfTheDatabaseSendsNothingTwice(t *testing.T) {
	t.Parallel()
	w := setup(t)
	db := &outage{DB: w.db}
	one, two := w.queue(db, quick()), w.queue(db, quick())
	orders := w.orders(50, func(i int) order {
		return w.order(one, fmt.Sprintf("p%d@example.com", i), func(n *store.NewChallenge) {
			n.CodeTTL, n.Mail.TTL = time.Hour, time.Hour
		})
	})
	db.away.Store(true)
	w.run(one)
	w.run(two)
	for _, o := range orders {
		o.handTo(one)
	}
	w.until("all are sent", func() bool { _, tries := w.post.count(""); return tries == len(orders) })
	w.db.AdvanceForTest(2 * quick().Lease)
	w.until("both know that it is away", func() bool { return strings.Count(w.log.String(), "cannot look for waiting mails") == 2 })
	db.away.Store(false)
	for _, o := range orders {
		w.becomes(store.MailSent, o)
	}
	time.Sleep(time.Second)
	for _, o := range orders {
		if n, _ := w.post.count(string(o.message.To)); n != 1 {
			t.Errorf("%s got %d mails", o.message.To, n)
		}
	}
}
