package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/mailer"
	"idp/store"
)

// account is a sender whose provider tells what it may send.
type account struct {
	*postman
	quota func(reads int) (mailer.Quota, error)
	reads atomic.Int64
}

func (a *account) Quota(context.Context) (mailer.Quota, error) { return a.quota(int(a.reads.Add(1))) }

func (w *world) account(id string, quota mailer.Quota) *account {
	a := &account{postman: &postman{got: map[string]int{}}, quota: func(int) (mailer.Quota, error) { return quota, nil }}
	if w.more == nil {
		w.more = mailer.Kinds{}
	}
	w.more[id] = func([]byte) (mailer.Sender, error) { return a, nil }
	w.connect(id, "{}")
	return a
}

func TestRateIsKept(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.account("rated", mailer.Quota{PerSecond: 50})
	c := quick()
	c.Lease, c.SendTimeout = 10*time.Second, time.Second
	q := w.queue(nil, c)
	w.run(q)
	w.until("the quota", func() bool { return a.reads.Load() > 0 })
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	w.send(q, 40, store.MailSent)
	if took := time.Since(start); took < 950*time.Millisecond || took > 20*time.Second {
		t.Errorf("40 mails at 80 %% of 50 a second took %s", took)
	}
}

func TestReplicasShareTheRate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.account("rated", mailer.Quota{PerSecond: 50})
	one, two := w.queue(nil, quick()), w.queue(nil, quick())
	w.run(one)
	w.until("health", func() bool { return w.health("rated").Rate == 40 })
	w.run(two)
	w.until("half a rate each", func() bool {
		all, err := mailer.ConnectorStates(t.Context(), w.db)
		return err == nil && len(all) == 2 && len(all[1].Reports) == 2 && all[1].Reports[0].Rate == 20 && all[1].Reports[1].Rate == 20
	})
}

func (w *world) health(id string) (h mailer.Health) {
	w.t.Helper()
	all, err := mailer.ConnectorStates(w.t.Context(), w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range all {
		if c.Connector == id {
			h = c.Latest
		}
	}
	return h
}

func TestDayNearlyUsedUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.account("rated", mailer.Quota{Day: 1000, Sent: 950})
	q := w.queue(nil, quick())
	w.run(q)
	w.until("a warning", func() bool { return strings.Contains(w.log.String(), "nearly used up") })
	w.send(q, 3, store.MailSent)
	if _, tries := a.count(""); tries != 0 {
		t.Error("it was used although another one can send")
	}
	w.post.mu.Lock()
	w.post.fail = failing(mailer.Temporary)
	w.post.mu.Unlock()
	w.send(q, 3, store.MailSent)
	w.until("health", func() bool { return w.health("rated").Nearly() })
}

func TestPausedAccountIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.account("rated", mailer.Quota{Paused: true})
	q := w.queue(nil, patient())
	w.run(q)
	w.until("health", func() bool { h := w.health("rated"); return h.Paused && h.State == mailer.Open })
	w.send(q, 3, store.MailSent)
	if _, tries := a.count(""); tries != 0 {
		t.Errorf("%d tries", tries)
	}
}

func TestUnreadableQuotaStopsNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.account("rated", mailer.Quota{})
	a.quota = func(int) (mailer.Quota, error) { return mailer.Quota{}, errors.New("AccessDenied") }
	q := w.queue(nil, quick())
	w.run(q)
	w.send(q, 3, store.MailSent)
	w.until("a warning", func() bool { return strings.Contains(w.log.String(), "AccessDenied") })
}

// A backlog does not pour out before the rate is known.
func TestRateIsUnknownAtFirst(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if err := w.db.DeleteConnector(t.Context(), "post", time.Time{}); err != nil {
		t.Fatal(err)
	}
	a := w.account("rated", mailer.Quota{PerSecond: 1000})
	answer := make(chan struct{})
	a.quota = func(int) (mailer.Quota, error) { <-answer; return mailer.Quota{PerSecond: 1000}, nil }
	q := w.queue(nil, quick())
	var orders []order
	for i := range 30 {
		orders = append(orders, w.order(q, fmt.Sprintf("p%d@example.com", i), func(n *store.NewChallenge) { n.Mail.Lease = 0 }))
	}
	start := time.Now()
	w.run(q)
	w.until("the first mail", func() bool { _, tries := a.count(""); return tries > 0 })
	time.Sleep(500 * time.Millisecond)
	_, tries := a.count("")
	if most := 2 + int(time.Since(start)/time.Second); tries > most {
		t.Errorf("%d mails at an unknown rate, want %d at most", tries, most)
	}
	close(answer)
	for _, o := range orders {
		w.becomes(store.MailSent, o)
	}
}

// Who waits at the rate of an account that was not read yet goes once it is.
func TestReadRateLetsGoAtOnce(t *testing.T) {
	t.Parallel()
	for range 10 { // a busy machine has more tries: a wait that does not end early takes its time in each
		w := setup(t)
		if err := w.db.DeleteConnector(t.Context(), "post", time.Time{}); err != nil {
			t.Fatal(err)
		}
		a := w.account("rated", mailer.Quota{PerSecond: 1000})
		answer := make(chan struct{})
		a.quota = func(int) (mailer.Quota, error) { <-answer; return mailer.Quota{PerSecond: 1000}, nil }
		q := w.queue(nil, mailer.Config{})
		w.run(q)
		first, second := w.order(q, "ada@example.com", nil), w.order(q, "bob@example.com", nil)
		first.handTo(q)
		w.until("the first mail", func() bool { n, _ := a.count("ada@example.com"); return n == 1 })
		start := time.Now()
		second.handTo(q)
		time.Sleep(50 * time.Millisecond)
		close(answer)
		w.until("the second mail", func() bool { n, _ := a.count("bob@example.com"); return n == 1 })
		if time.Since(start) < 700*time.Millisecond { // it would have waited for some 990 ms
			return
		}
	}
	t.Error("it waited as if the rate were still unknown")
}
