package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/mailer"
	"idp/store"
)

// second sets up a connector that is tried after "post".
func (w *world) second() *postman {
	w.t.Helper()
	p := &postman{got: map[string]int{}}
	w.more = mailer.Kinds{"second": func([]byte) (mailer.Sender, error) { return p, nil }}
	w.connect("second", "{}")
	w.connect("post", "{}") // first again
	return p
}

// send orders n mails, hands them over and waits until each is in state want.
func (w *world) send(q *mailer.Queue, n int, want store.MailState) {
	w.t.Helper()
	orders := w.orders(n, func(i int) order {
		o := w.order(q, fmt.Sprintf("p%d@example.com", i), nil)
		o.handTo(q)
		return o
	})
	for _, o := range orders {
		w.becomes(want, o)
	}
}

// patient is quick, but no circuit is tried again within a test.
func patient() mailer.Config {
	c := quick()
	c.Cool, c.MaxCool, c.Halt, c.MaxHalt = time.Hour, time.Hour, time.Hour, time.Hour
	return c
}

func TestOpenCircuitIsPassedOver(t *testing.T) {
	t.Parallel()
	for class, most := range map[mailer.Class]int{mailer.Temporary: 3, mailer.Paused: 1, mailer.Misconfigured: 1} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			second := w.second()
			w.post.fail = failing(class)
			c := patient()
			c.Workers, c.Trip = 1, 3
			q := w.queue(nil, c)
			w.run(q)
			w.send(q, 20, store.MailSent)
			if _, tries := w.post.count(""); tries > most+1 { // one more was on its way
				t.Errorf("the first connector was tried %d times, want %d", tries, most)
			}
			if _, tries := second.count(""); tries != 20 {
				t.Errorf("the second was tried %d times", tries)
			}
		})
	}
}

func TestFailuresThatAreNotInARowOpenNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = func(try int) error {
		if try%2 == 1 {
			return failing(mailer.Temporary)(try)
		}
		return nil
	}
	c := patient()
	c.Workers, c.Trip = 1, 2
	q := w.queue(nil, c)
	w.run(q)
	w.send(q, 10, store.MailSent)
}

// While all circuits are open nothing is tried and no row is written; soon after the
// provider is well again all is sent.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var down atomic.Bool
	down.Store(true)
	w.post.fail = func(try int) error {
		if down.Load() {
			return failing(mailer.Temporary)(try)
		}
		return nil
	}
	c := quick()
	c.Workers, c.Cool, c.MaxCool = 4, 200*time.Millisecond, 400*time.Millisecond
	q := w.queue(nil, c)
	w.run(q)
	began := time.Now()
	orders := w.orders(300, func(i int) order {
		o := w.order(q, fmt.Sprintf("p%d@example.com", i), nil)
		o.handTo(q)
		return o
	})
	time.Sleep(2 * time.Second)
	_, tries := w.post.count("")
	// Those that open the circuit, those on their way then, and one at the end of each wait.
	if most := c.Trip + c.Workers + 2 + int(time.Since(began)/(c.MaxCool*7/8)); tries > most {
		t.Errorf("%d tries while the provider was down, want %d at most", tries, most)
	}
	down.Store(false)
	start := time.Now()
	w.until("an empty queue", func() bool {
		n, _, err := w.db.MailDepth(t.Context())
		return err == nil && n == 0
	})
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("all was sent only %s after the recovery", took)
	}
	for _, o := range orders {
		if n, _ := w.post.count(string(o.message.To)); n != 1 {
			t.Errorf("%s got %d mails", o.message.To, n)
		}
	}
}

func TestDecoyWaitsForAnOpenCircuit(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = failing(mailer.Paused)
	q := w.queue(nil, patient())
	w.run(q)
	real, decoy := w.order(q, "ada@example.com", nil), w.order(q, "eve@example.com", nil)
	real.handTo(q)
	w.until("an open circuit", func() bool { return strings.Contains(w.log.String(), "mail not sent") })
	decoy.begun.Decoy = true
	decoy.handTo(q)
	time.Sleep(300 * time.Millisecond)
	if w.state(real) != store.MailQueued || w.state(decoy) != store.MailQueued {
		t.Errorf("the real mail is in state %d, the decoy in %d", w.state(real), w.state(decoy))
	}
}

func TestMailRejectedByOneGoesThroughTheOther(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second := w.second()
	w.post.fail = failing(mailer.Rejected)
	q := w.queue(nil, quick())
	w.run(q)
	w.send(q, 10, store.MailSent)
	if _, tries := w.post.count(""); tries != 10 {
		t.Errorf("%d tries: a mail that is rejected says nothing about its connector", tries)
	}
	second.mu.Lock()
	second.fail = failing(mailer.Rejected)
	second.mu.Unlock()
	w.send(q, 1, store.MailFailed)
}

// A mail that one connector rejects waits for the one that is left alone.
func TestRejectedMailWaitsForTheOther(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second := w.second()
	var mended atomic.Bool
	w.post.fail = func(try int) error {
		if try == 1 {
			return failing(mailer.Temporary)(try)
		}
		return failing(mailer.Rejected)(try)
	}
	second.fail = func(try int) error {
		if mended.Load() {
			return nil
		}
		return failing(mailer.Paused)(try)
	}
	q := w.queue(nil, quick())
	w.run(q)
	opener := w.order(q, "ada@example.com", nil)
	opener.handTo(q)
	w.until("an open circuit", func() bool { _, tries := second.count(""); return tries > 0 })
	o := w.order(q, "bob@example.com", nil)
	o.handTo(q)
	time.Sleep(300 * time.Millisecond)
	mended.Store(true)
	w.becomes(store.MailSent, o)
}

// A connector that uses up the time of the attempt and rejects the mail then leaves it to the next.
func TestMailRejectedLateGoesThroughTheOther(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second := w.second()
	c := quick()
	c.SendTimeout = 500 * time.Millisecond
	w.post.fail = func(try int) error {
		if try == 1 {
			time.Sleep(2 * c.SendTimeout)
		}
		return failing(mailer.Rejected)(try)
	}
	q := w.queue(nil, c)
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.becomes(store.MailSent, o)
	if n, _ := second.count("ada@example.com"); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestHangingConnectorLeavesTimeForTheNext(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second := w.second()
	w.post.hold = make(chan struct{}) // for ever
	c := quick()
	c.SendTimeout = 8 * time.Second // half of which is left for the next, and for a busy machine
	q := w.queue(nil, c)
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	start := time.Now()
	o.handTo(q)
	w.until("a mail", func() bool { n, _ := second.count("ada@example.com"); return n == 1 })
	if took := time.Since(start); took > c.SendTimeout {
		t.Errorf("it took %s", took)
	}
	w.becomes(store.MailSent, o)
}

func TestRefusedAddressIsSuppressed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second := w.second()
	w.post.fail = failing(mailer.Refused)
	q := w.queue(nil, quick())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.becomes(store.MailFailed, o)
	if _, tries := second.count(""); tries != 0 {
		t.Error("the next connector was tried with an address that was refused")
	}
	if again := w.order(q, "ada@example.com", nil); !again.begun.Suppressed {
		t.Error("the next mail to the address is not suppressed")
	}
	if other := w.order(q, "bob@example.com", nil); other.begun.Suppressed {
		t.Error("another address is suppressed")
	}
}

func TestMendedConnectorIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post.fail = func(try int) error {
		if try == 1 {
			return failing(mailer.Misconfigured)(try)
		}
		return nil
	}
	q := w.queue(nil, patient())
	w.run(q)
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.until("an open circuit", func() bool { return w.health("post").State == mailer.Open })
	w.connect("post", "{}")
	w.becomes(store.MailSent, o)
}

func TestHealthIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, patient())
	w.run(q)
	w.send(q, 1, store.MailSent)
	w.until("a success", func() bool { h := w.health("post"); return h.State == mailer.Closed })
	w.post.mu.Lock()
	w.post.fail = failing(mailer.Misconfigured)
	w.post.mu.Unlock()
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	w.until("an open circuit", func() bool { return w.health("post").State == mailer.Open })
	h := w.health("post")
	if strings.Contains(h.LastError, "ada@example.com") || strings.Contains(h.LastError, "123456") || !strings.Contains(h.LastError, "no luck") {
		t.Errorf("last error: %q", h.LastError)
	}
	if h.LastSuccess.IsZero() || time.Since(h.Since) > time.Minute {
		t.Errorf("%+v", h)
	}
}

func TestFreshMailGoesBeforeTheBacklog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := quick()
	c.Lease, c.SendTimeout, c.Workers = 60*time.Second, 10*time.Second, 1
	q := w.queue(nil, c)
	for i := range 50 {
		w.order(q, fmt.Sprintf("p%d@example.com", i), func(n *store.NewChallenge) { n.Mail.Lease = 0 })
	}
	w.post.hold = make(chan struct{}, 100)
	w.run(q)
	w.until("a send in flight", func() bool { _, tries := w.post.count(""); return tries == 1 })
	o := w.order(q, "ada@example.com", nil)
	o.handTo(q)
	for range 3 { // the one in flight, and one that the dispatcher had picked
		w.post.hold <- struct{}{}
	}
	w.becomes(store.MailSent, o)
	close(w.post.hold)
}

// verified takes mails from its own sender only.
type verified struct{ *postman }

// Send implements [mailer.Sender].
func (v verified) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	if m.Sender != "" {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Misconfigured, Err: errors.New("that sender is not verified")}
	}
	return v.postman.Send(ctx, m)
}

// A template whose sender is not verified stops its own mails, and no others.
func TestSenderOfATemplateStopsNoOtherMails(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.more = mailer.Kinds{"post": func([]byte) (mailer.Sender, error) { return verified{w.post}, nil }}
	_, err := w.db.SetMailTemplates(t.Context(), []store.MailTemplate{{Usage: store.UsageNoAccount, Locale: "en", Subject: "Nobody", Content: "Nobody is here.",
		ContentType: "text/plain", SendFrom: "other@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	c := patient()
	c.Retry, c.MaxRetry = 30*time.Second, time.Minute // or it may fail so often in a row, alone, that the circuit opens
	q := w.queue(nil, c)
	w.run(q)
	bad := w.order(q, "ada@example.com", func(n *store.NewChallenge) {
		m := message(store.UsageNoAccount, "en")
		m.To = "ada@example.com"
		n.Mail, _ = q.Seal(m, n.ID)
		n.Mail.Lease = 0
	})
	w.until("a refusal", func() bool { return strings.Contains(w.log.String(), "that sender is not verified") })
	w.send(q, 10, store.MailSent)
	if state := w.state(bad); state == store.MailSent {
		t.Error("it went")
	}
}

// traced writes down what a queue tells of its attempts.
type traced struct {
	mu    sync.Mutex
	lines []string
}

type attemptKey struct{}

func (r *traced) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *traced) Attempt(ctx context.Context, _ store.ID, usage store.Usage, n int) (context.Context, func(error)) {
	return context.WithValue(ctx, attemptKey{}, n), func(err error) { r.add("%s %d: %v", usage, n, err) }
}

func (r *traced) Send(ctx context.Context, connector string) (context.Context, func(error)) {
	return ctx, func(err error) { r.add("%s in %v: %v", connector, ctx.Value(attemptKey{}), err) }
}

// Each attempt is told, and within it each connector.
func TestAttemptsAreTraced(t *testing.T) {
	t.Parallel()
	w := setup(t)
	second := w.second()
	w.post.fail, second.fail = failing(mailer.Temporary), func(try int) error {
		if try > 1 {
			return nil
		}
		return errors.New("down")
	}
	w.trace = &traced{}
	q := w.queue(nil, quick())
	stop := w.run(q)
	w.send(q, 1, store.MailSent)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	failed := failing(mailer.Temporary)(1).Error()
	want := []string{"post in 1: " + failed, "second in 1: down", "SignIn 1: " + failed, "post in 2: " + failed, "second in 2: <nil>", "SignIn 2: <nil>"}
	if !slices.Equal(w.trace.lines, want) {
		t.Errorf("told %q, want %q", w.trace.lines, want)
	}
}
