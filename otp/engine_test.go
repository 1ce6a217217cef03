package otp_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/keyring"
	"idp/otp"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// fixture is an engine over a real SQLite file, with an outbox that keeps what it
// was handed.
type fixture struct {
	t      *testing.T
	db     *sqlstore.DB
	ring   *keyring.Ring
	engine *otp.Engine
	outbox *outbox
}

type outbox struct {
	mu     sync.Mutex
	sent   []store.Message
	ids    []store.ID
	decoys int
	muted  store.Message // the last decoy
	fail   error
	full   time.Duration
}

func (o *outbox) Seal(m store.Message, _ store.ID) (store.NewMail, error) {
	return store.NewMail{ID: store.NewID(time.Now()), Usage: m.Usage, Payload: []byte("sealed " + m.Usage), Made: time.Now(),
		TTL: time.Duration(m.CodeTTL) * time.Minute, Lease: 30 * time.Second}, o.fail
}

func (o *outbox) Sent(mail store.NewMail, _ store.ID, m store.Message, decoy bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if decoy {
		o.decoys, o.muted = o.decoys+1, m
		return
	}
	o.sent, o.ids = append(o.sent, m), append(o.ids, mail.ID)
}

func (o *outbox) Full() time.Duration { return o.full }

func (o *outbox) last() store.Message { return o.sent[len(o.sent)-1] }

func setup(t *testing.T, change func(*otp.Config)) *fixture {
	t.Helper()
	e, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return setupOn(t, e, change)
}

type database interface {
	sqlstore.Engine
	Migrate(ctx context.Context) error
}

func setupOn(t *testing.T, e database, change func(*otp.Config)) *fixture {
	t.Helper()
	err := e.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, db: sqlstore.New(e), outbox: &outbox{}}
	if err := f.db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.db.Close() })
	if f.ring, err = keyring.New(make([]byte, keyring.SecretSize)); err != nil {
		t.Fatal(err)
	}
	config := otp.DefaultConfig()
	if change != nil {
		change(&config)
	}
	f.engine, err = otp.New(otp.Deps{Store: f.db, Ring: f.ring, Outbox: f.outbox, Config: config, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func attempt(email store.Email, ip string) store.Attempt {
	return store.Attempt{Purpose: store.PurposeRegister, Email: email, Browser: store.HashOf([]byte(store.RandomText(20))), Request: store.NewID(time.Now()),
		IP: netip.MustParseAddr(ip), Locale: "en", App: "Bookstore", BrowserName: "Firefox on Linux"}
}

func (f *fixture) begin(a store.Attempt) (store.ID, string) {
	f.t.Helper()
	b, err := f.engine.Begin(f.t.Context(), a)
	if err != nil {
		f.t.Fatal(err)
	}
	return b.ID, f.outbox.last().Code
}

func (f *fixture) verify(id store.ID, a store.Attempt, code string) store.Outcome {
	f.t.Helper()
	g, err := f.engine.Guess(store.Try{Challenge: id, Purpose: a.Purpose, Email: a.Email, Browser: a.Browser, Request: a.Request, IP: a.IP, Code: code, Confirm: true,
		Locale: a.Locale, App: a.App, BrowserName: a.BrowserName})
	if err != nil {
		f.t.Fatal(err)
	}
	in, err := f.engine.Verify(f.t.Context(), g, store.Completion{
		Session: store.NewSession{Hash: store.HashOf(id[:]), Idle: time.Hour, Absolute: time.Hour, AMR: []string{"otp"}}, UserID: store.RandomText(12)})
	if err != nil {
		f.t.Fatal(err)
	}
	return in.Outcome
}

func TestCodeIsMailedAndWorks(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(a)
	m := f.outbox.last()
	if m.To != a.Email || m.Usage != store.UsageRegister || m.CodeTTL != 10 || m.App != "Bookstore" || m.Place != "192.0.2.1" || len(code) != 6 || m.Asked.IsZero() {
		t.Errorf("message %+v", m)
	}
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	if o := f.verify(id, a, wrong); o != store.OutcomeWrong {
		t.Errorf("wrong code: %d", o)
	}
	for name, spoil := range map[string]func(*store.Attempt){
		"address": func(a *store.Attempt) { a.Email = "bob@example.com" },
		"purpose": func(a *store.Attempt) { a.Purpose = store.PurposeSignIn },
		"browser": func(a *store.Attempt) { a.Browser = store.HashOf([]byte("x")) },
	} {
		b := a
		spoil(&b)
		if o := f.verify(id, b, code); o == store.OutcomeAccepted {
			t.Errorf("accepted for another %s", name)
		}
	}
	if o := f.verify(id, a, code); o != store.OutcomeAccepted {
		t.Errorf("right code: %d", o)
	}
}

// Codes under the secret before a rotation stay right.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(a)
	next := make([]byte, keyring.SecretSize)
	next[0] = 1
	ring, err := keyring.New(next, make([]byte, keyring.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	if f.engine, err = otp.New(otp.Deps{Store: f.db, Ring: ring, Outbox: f.outbox, Config: otp.DefaultConfig(), Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if o := f.verify(id, a, code); o != store.OutcomeAccepted {
		t.Errorf("outcome %d", o)
	}
}

func TestTypedCodes(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(a)
	wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
	for _, typed := range []string{code, " " + code + "\n", code[:3] + " " + code[3:], code[:3] + "-" + code[3:], wide, code[:3] + "\u00a0" + code[3:]} {
		if o := f.verify(id, a, typed); o != store.OutcomeAccepted {
			t.Errorf("%q: %d", typed, o)
		}
	}
	for _, typed := range []string{"", "12345", "1234567", "abcdef", "12345\x00", strings.Repeat("1", 10_000), "１２３４５", "-----------"} {
		if _, err := f.engine.Guess(store.Try{Challenge: id, Code: typed}); store.CodeOf(err) != store.Invalid {
			t.Errorf("%.20q: %v", typed, err)
		}
	}
}

// The limits, each reached from the door that people use.
func TestLimits(t *testing.T) {
	t.Parallel()
	limited := func(f *fixture, a store.Attempt) bool {
		_, err := f.engine.Begin(f.t.Context(), a)
		if err != nil && store.CodeOf(err) != store.Limited {
			t.Fatal(err)
		}
		var e *store.Error
		if errors.As(err, &e) && e.Wait <= 0 {
			t.Error("no wait is named")
		}
		return err != nil
	}
	t.Run("recipient, under any spelling", func(t *testing.T) {
		t.Parallel()
		f := setup(t, nil)
		for i := range 6 {
			email := store.Email(fmt.Sprintf("a.da+%d@example.com", i))
			if got := limited(f, attempt(email, fmt.Sprintf("192.0.2.%d", i))); got != (i == 5) {
				t.Errorf("mail %d: limited %t", i+1, got)
			}
		}
		// What left for an address without an account: three.
		if len(f.outbox.sent) != 3 || f.outbox.decoys != 2 {
			t.Errorf("%d mails and %d decoys, want 3 and 2", len(f.outbox.sent), f.outbox.decoys)
		}
	})
	t.Run("network, IPv6 by /64", func(t *testing.T) {
		t.Parallel()
		f := setup(t, func(c *otp.Config) { c.Limits.IPSends = []store.Window{{Count: 3, Period: time.Hour}} })
		for i := range 4 {
			a := attempt(store.Email(fmt.Sprintf("p%d@example.com", i)), fmt.Sprintf("2001:db8::%x", i+1))
			if got := limited(f, a); got != (i == 3) {
				t.Errorf("request %d: limited %t", i+1, got)
			}
		}
		if limited(f, attempt("q@example.com", "2001:db8:0:1::1")) {
			t.Error("the next /64 is limited too")
		}
	})
	t.Run("redeemed codes are given back to the network", func(t *testing.T) {
		t.Parallel()
		f := setup(t, func(c *otp.Config) { c.Limits.IPSends = []store.Window{{Count: 1, Period: time.Hour}} })
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { f.engine.Run(ctx) })
		a := attempt("ada@example.com", "192.0.2.1")
		id, code := f.begin(a)
		if !limited(f, attempt("bob@example.com", "::ffff:192.0.2.1")) {
			t.Error("the same network, written as IPv6, is not limited")
		}
		for range 3 { // the second and third click earn nothing
			if o := f.verify(id, a, code); o != store.OutcomeAccepted {
				t.Fatal(o)
			}
		}
		cancel()
		wg.Wait()
		if limited(f, attempt("bob@example.com", "192.0.2.1")) {
			t.Error("nothing was given back")
		}
		if !limited(f, attempt("eve@example.com", "192.0.2.1")) {
			t.Error("too much was given back")
		}
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		f := setup(t, func(c *otp.Config) { c.Limits = otp.Limits{} })
		for range 30 {
			a := attempt("ada@example.com", "192.0.2.1")
			id, code := f.begin(a)
			if o := f.verify(id, a, code); o != store.OutcomeAccepted {
				t.Fatal(o)
			}
		}
	})
}

func TestResendKeepsTheFirstCode(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	id, first := f.begin(a)
	if _, err := f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: a}); store.CodeOf(err) != store.Limited {
		t.Errorf("at once: %v", err)
	}
	f.db.AdvanceForTest(65 * time.Second)
	b, err := f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: a})
	if err != nil || b.Sends != 2 || b.NextSend.Sub(b.SentAt) != 2*time.Minute {
		t.Fatalf("%+v %v", b, err)
	}
	if o := f.verify(id, a, first); o != store.OutcomeAccepted {
		t.Errorf("the first code: %d", o)
	}
}

// The address form sent twice: one mail, one challenge; after the wait one more
// code; after it is over a new challenge.
func TestFormSentTwice(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	a := attempt("ada@example.com", "192.0.2.1")
	id, first := f.begin(a)
	b, err := f.engine.Begin(t.Context(), a)
	if err != nil || b.ID != id || !b.Again || b.Sends != 1 || b.NextSend.IsZero() || len(f.outbox.sent) != 1 {
		t.Fatalf("at once: %+v %v, %d mails", b, err, len(f.outbox.sent))
	}
	f.db.AdvanceForTest(65 * time.Second)
	if b, err = f.engine.Begin(t.Context(), a); err != nil || b.ID != id || b.Again || b.Sends != 2 || len(f.outbox.sent) != 2 {
		t.Fatalf("after the wait: %+v %v, %d mails", b, err, len(f.outbox.sent))
	}
	if o := f.verify(id, a, first); o != store.OutcomeAccepted {
		t.Fatalf("the first code: %d", o)
	}
	if b, err = f.engine.Begin(t.Context(), a); err != nil || b.ID == id || b.Sends != 1 {
		t.Fatalf("after it was used: %+v %v", b, err)
	}
	other := a
	other.Email = "bob@example.com"
	if c, err := f.engine.Begin(t.Context(), other); err != nil || c.ID == b.ID {
		t.Fatalf("another address: %+v %v", c, err)
	}
}

// Twenty at once: one challenge.
func TestFormSentAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t, func(c *otp.Config) { c.Limits.RecipientSends, c.Limits.UnknownSends = nil, nil })
	a := attempt("ada@example.com", "192.0.2.1")
	var wg sync.WaitGroup
	ids := make([]store.ID, 20)
	for i := range ids {
		wg.Go(func() {
			b, err := f.engine.Begin(context.Background(), a)
			if err != nil && store.CodeOf(err) != store.Limited {
				t.Error(err)
			}
			ids[i] = b.ID
		})
	}
	wg.Wait()
	if len(f.outbox.sent) != 1 {
		t.Errorf("%d mails, want 1", len(f.outbox.sent))
	}
	f.db.AdvanceForTest(65 * time.Second)
	for i := range ids[:2] { // two forms after the wait: one more mail, and both see the code page
		wg.Go(func() {
			if _, err := f.engine.Begin(context.Background(), a); err != nil {
				t.Errorf("form %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if len(f.outbox.sent) != 2 {
		t.Errorf("%d mails, want 2", len(f.outbox.sent))
	}
}

// A mail that cannot be sealed leaves no challenge behind.
func TestSealFails(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.outbox.fail = errors.New("no")
	if _, err := f.engine.Begin(t.Context(), attempt("ada@example.com", "192.0.2.1")); err == nil {
		t.Error("no error")
	}
}

func TestConfigBounds(t *testing.T) {
	t.Parallel()
	if err := otp.DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*otp.Config){
		"IDP_OTP_DIGITS":            func(c *otp.Config) { c.Digits = 4 },
		"IDP_OTP_CODE_TTL":          func(c *otp.Config) { c.CodeTTL = time.Second },
		"IDP_OTP_TTL":               func(c *otp.Config) { c.TTL = time.Minute },
		"IDP_OTP_TRIES":             func(c *otp.Config) { c.Tries = 100 },
		"IDP_OTP_SENDS":             func(c *otp.Config) { c.Sends = 4 },
		"IDP_OTP_RESEND_WAIT":       func(c *otp.Config) { c.ResendWaits = nil },
		"IDP_LIMIT_UNKNOWN_NOTICES": func(c *otp.Config) { c.Limits.UnknownNotices = []store.Window{{Count: 1}} },
		"IDP_LIMIT_ACCOUNT_GUESSES": func(c *otp.Config) { c.Limits.AccountGuesses = make([]store.Window, 3) },
	} {
		c := otp.DefaultConfig()
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
