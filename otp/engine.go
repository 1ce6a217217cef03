package otp

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"idp/keyring"
	"idp/store"
)

// Store is what the engine asks of the database.
type Store interface {
	Now() time.Time
	BeginChallenge(context.Context, store.NewChallenge) (store.Begun, error)
	ResendCode(context.Context, store.Resend) (store.Begun, error)
	CompleteChallenge(context.Context, store.Guess, store.Completion) (store.SignedIn, error)
	ChallengeState(ctx context.Context, challenge store.ID, browser store.Hash) (store.ChallengeState, error)
	Refund(context.Context, map[store.Limit]int) error
	NotMe(context.Context, store.Disowned) (store.Undone, error)
	Unmute(context.Context, store.Disowned) error
	OneTimeTokenByHash(context.Context, store.Hash) (store.OneTimeToken, error)

	TestAddresses(context.Context) ([]store.TestAddress, error)

	Alarms(context.Context) ([]store.Alarm, error)
	RaiseAlarm(ctx context.Context, seen store.Alarm, told ...store.Event) error
	EndAlarm(ctx context.Context, seen store.Alarm, told ...store.Event) error
	CountGuesses(ctx context.Context, replica store.ID, counts []store.GuessCount) error
	GuessSums(context.Context, store.GuessWindows) (store.GuessSums, error)
}

// Outbox is what the engine asks of the mailer.
type Outbox interface {
	// Seal makes the queue's row for a message, bound to its challenge.
	Seal(m store.Message, challenge store.ID) (store.NewMail, error)
	// Sent says that the row is committed: send it now. It does not block.
	Sent(mail store.NewMail, challenge store.ID, m store.Message, decoy bool)
	// Full tells for how long no more mails are taken, because there were too many of all
	// people together; 0: they are.
	Full() time.Duration
}

// Deps is what an Engine is made of.
type Deps struct {
	Store  Store
	Ring   *keyring.Ring
	Outbox Outbox
	Config Config
	Log    *slog.Logger

	Bots Bots // tells people from programs in the place of the built-in work; nil: that does

	NotMe string // address of the page for those who did not ask; "" leaves it out of mails
}

// Engine makes and judges codes. Its methods are safe for concurrent use.
type Engine struct {
	store   Store
	outbox  Outbox
	config  Config
	log     *slog.Logger
	codes   *keyring.MAC
	budgets *keyring.MAC
	addrs   Addresses
	ids     *keyring.MAC
	notices *keyring.MAC
	notMe   notMe
	refunds chan refund
	alarm   alarm
	tests   TestCodes

	puzzles  *keyring.Sealer
	bots     Bots
	botsBack atomic.Int64 // when the service is asked again that did not answer, Unix µs
}

// New makes an engine. The error is that of [Config.Validate].
func New(d Deps) (*Engine, error) {
	if err := d.Config.Validate(); err != nil {
		return nil, err
	}
	return &Engine{
		store: d.Store, outbox: d.Outbox, config: d.Config, log: d.Log,
		codes: d.Ring.MAC("code"), budgets: d.Ring.MAC("budget"), addrs: NewAddresses(d.Ring), ids: d.Ring.MAC("challenge id"), notices: d.Ring.MAC("notice id"),
		notMe:   notMe{d.NotMe, d.Ring.Sealer("not me"), d.Ring.MAC("not me event")},
		refunds: make(chan refund, 1024),
		alarm:   alarm{replica: store.NewID(time.Now())}, tests: NewTestCodes(d.Ring),
		puzzles: d.Ring.Sealer("puzzle"), bots: d.Bots,
	}, nil
}

// Begin makes a challenge and has its first code mailed. The address may or may
// not have an account: nothing that the caller sees depends on it.
//
// A form that is sent twice (a double click, back and send again, a lost answer)
// lands on the same challenge: while its wait lasts nothing more is mailed, after
// that one more code is, and the codes before it stay right. Only when it is spent,
// used or expired does a new one begin.
//
// While nobody could type a short code, because the guesses of the browser's pool are spent,
// the code is a long one. Errors: [store.Limited] with the wait, [store.Unproven] where a
// proof has to be shown (see [Engine.Puzzle]), [store.Unavailable].
func (e *Engine) Begin(ctx context.Context, a store.Attempt) (store.Begun, error) {
	of := e.allowanceOf(ctx, a)
	for round := range byte(maxRounds) {
		id := e.challengeID(a, round)
		begun, err := e.begin(ctx, a, id, e.digits(a.Purpose), of)
		if store.CodeOf(err) == store.GuessesSpent {
			begun, err = e.begin(ctx, a, id, longCode, of)
		}
		if store.CodeOf(err) != store.Conflict {
			return begun, err
		}
		st, err := e.store.ChallengeState(ctx, id, a.Browser)
		if err != nil {
			return store.Begun{}, err
		}
		if st.SendsLeft > 0 && !e.over(st) && !e.store.Now().Before(st.NextSend) {
			begun, err := e.oneMore(ctx, store.Again{Challenge: id, Attempt: a}, of)
			if err == nil || store.CodeOf(err) == store.Unavailable {
				return begun, err
			}
			refused := err // by a limit, or because another form was faster
			if st, err = e.store.ChallengeState(ctx, id, a.Browser); err != nil {
				return store.Begun{}, err
			}
			if code := store.CodeOf(refused); (code == store.Limited || code == store.Unproven) && !e.over(st) && !e.store.Now().Before(st.NextSend) {
				return store.Begun{}, refused
			}
		}
		if !e.over(st) && e.store.Now().Before(st.CodeUntil) {
			begun := store.Begun{ID: id, SentAt: st.SentAt, ExpiresAt: st.ExpiresAt, Sends: st.Sends, Again: true, Length: cmp.Or(st.Length, e.digits(a.Purpose))}
			if st.SendsLeft > 0 {
				begun.NextSend = st.NextSend
			}
			return begun, nil
		}
	}
	return store.Begun{}, &store.Error{Code: store.Limited, Op: "begin challenge", Wait: e.config.TTL,
		Err: errors.New("too many attempts in one authorization request")}
}

// over tells whether a challenge takes no more guesses.
func (e *Engine) over(st store.ChallengeState) bool {
	return st.Consumed || st.TriesLeft <= 0 || !e.store.Now().Before(st.ExpiresAt)
}

// maxRounds bounds how many challenges one authorization request can have for an
// address; the limit of mails per address comes long before.
const maxRounds = 20

// challengeID names the challenge of a browser, authorization request, purpose and
// address, so that the same form names the same one. It begins with the
// request's time, as ids do.
func (e *Engine) challengeID(a store.Attempt, round byte) store.ID {
	id := a.Request
	sum := e.ids.Sum(a.Browser[:], a.Request[:], []byte{byte(a.Purpose), round}, []byte(a.Email))
	copy(id[6:], sum[:])
	return id
}

func (e *Engine) begin(ctx context.Context, a store.Attempt, id store.ID, length int, of allowance) (store.Begun, error) {
	if err := e.full(a, "begin challenge"); err != nil {
		switch _, there := e.store.ChallengeState(ctx, id, a.Browser); store.CodeOf(there) {
		case "":
			return store.Begun{}, &store.Error{Code: store.Conflict, Op: "begin challenge"}
		case store.NotFound:
			return store.Begun{}, err
		default:
			return store.Begun{}, there
		}
	}
	code, test, err := e.code(ctx, a, length)
	if err != nil {
		return store.Begun{}, err
	}
	length = len(code)
	l, err := e.letter(a, id, grouped(code))
	if err != nil {
		return store.Begun{}, fmt.Errorf("begin challenge: %w", err)
	}
	address, former := e.Address(a.Email)
	ttl := e.codeTTL(a)
	begun, err := e.store.BeginChallenge(ctx, store.NewChallenge{
		ID: id, Purpose: a.Purpose, Browser: a.Browser, Request: a.Request, Email: a.Email,
		Address: address, Former: former, MAC: macs(e.codes, a.Purpose, id, a.Email, code)[0], Length: length,
		CodeTTL: ttl, TTL: e.config.TTL, NextSend: e.config.wait(1),
		Tries: e.tries(a), Sends: e.config.Sends, Mail: l.mail, Test: test,
		IP: of.sends, Waits: of.waits, Recipient: e.recipientSends(a.Email, a.Browser), Unknown: e.unknown(a), Guesses: e.guessesOf(a, length),
	})
	if err != nil {
		return store.Begun{}, err
	}
	e.handOver(begun, l)
	return begun, nil
}

// Resend has one more code mailed on a live challenge. Errors: [store.Limited]
// with the wait, [store.Unproven], [store.Spent], [store.Expired], [store.Used],
// [store.NotFound], [store.Unavailable].
func (e *Engine) Resend(ctx context.Context, a store.Again) (store.Begun, error) {
	return e.oneMore(ctx, a, e.allowanceOf(ctx, a.Attempt))
}

func (e *Engine) oneMore(ctx context.Context, a store.Again, of allowance) (store.Begun, error) {
	begun, err := e.resend(ctx, a, e.digits(a.Purpose), of)
	if store.CodeOf(err) == store.GuessesSpent {
		return e.resend(ctx, a, longCode, of)
	}
	return begun, err
}

func (e *Engine) resend(ctx context.Context, a store.Again, length int, of allowance) (store.Begun, error) {
	if err := e.full(a.Attempt, "resend code"); err != nil {
		return store.Begun{}, err
	}
	code, test, err := e.code(ctx, a.Attempt, length)
	if err != nil {
		return store.Begun{}, err
	}
	length = len(code)
	l, err := e.letter(a.Attempt, a.Challenge, grouped(code))
	if err != nil {
		return store.Begun{}, fmt.Errorf("resend code: %w", err)
	}
	address, former := e.Address(a.Email)
	begun, err := e.store.ResendCode(ctx, store.Resend{
		ID: a.Challenge, Browser: a.Browser, Request: a.Request, Email: a.Email, Address: address, Former: former,
		MAC: macs(e.codes, a.Purpose, a.Challenge, a.Email, code)[0], Length: length,
		CodeTTL: e.codeTTL(a.Attempt), NextSend: e.config.wait(2), Mail: l.mail, Test: test,
		IP: of.sends, Waits: of.waits, Recipient: e.recipientSends(a.Email, a.Browser), Unknown: e.unknown(a.Attempt), Guesses: e.guessesOf(a.Attempt, length),
	})
	if err != nil {
		return store.Begun{}, err
	}
	e.handOver(begun, l)
	return begun, nil
}

// Guess turns what a person typed into a proof to be judged; one that is to recover
// an account carries the notice of it. The error is [store.Invalid] when it cannot
// be a code; that costs no try.
func (e *Engine) Guess(t store.Try) (store.Guess, error) {
	code, err := normalize(t.Code, e.lengths(t.Purpose)...)
	if err != nil {
		return store.Guess{}, &store.Error{Code: store.Invalid, Op: "read code", Err: err}
	}
	address, former := e.Address(t.Email)
	g := store.Guess{
		Challenge: t.Challenge, Browser: t.Browser, Purpose: t.Purpose, Request: t.Request, Email: t.Email, Confirm: t.Confirm, Closed: t.Closed,
		Address: address, Former: former,
		MACs: macs(e.codes, t.Purpose, t.Challenge, t.Email, code),
		IP:   e.ipGuesses(t.IP),
	}
	if len(code) != longCode { // which nobody guesses, so the address's budget is no matter
		g.Account = e.accountGuesses(t.Email, t.Browser)
	}
	if t.Purpose == store.PurposeVerify {
		g.IP = store.Limit{}
	}
	rand.Read(g.Attempt[:])
	if t.Purpose == store.PurposeRecover {
		if g.Notice, err = e.notice(t); err != nil {
			return store.Guess{}, fmt.Errorf("seal notice: %w", err)
		}
	}
	return g, nil
}

// Verify judges a guess and, if it is right, writes its consequence with it. Of a
// double click, the first has the notice sent; if its answer is lost, the lease on
// the notice ends and a replica takes it over.
func (e *Engine) Verify(ctx context.Context, g store.Guess, c store.Completion) (store.SignedIn, error) {
	in, err := e.store.CompleteChallenge(ctx, g, c)
	if err == nil && g.Token.IsZero() {
		e.alarm.count(e.store.Now(), in)
	}
	if err != nil || in.RefundUnits == 0 { // not right, or the second click
		return in, err
	}
	if !g.Notice.IsZero() && !in.Unsent {
		e.outbox.Sent(g.Notice.Mail, g.Challenge, g.Notice.Message, false)
	}
	if !in.Refund.IsZero() {
		l := store.Limit{Name: limitIPSends, Key: in.Refund, Free: e.free()}
		copy(l.Windows[:], e.config.Limits.IPSends)
		select {
		case e.refunds <- refund{l, in.RefundUnits}:
		default: // a full queue costs a visitor room, nothing else
		}
	}
	return in, nil
}

// State tells the owning browser where its challenge stands. The error is
// [store.NotFound] for anybody else.
func (e *Engine) State(ctx context.Context, challenge store.ID, browser store.Hash) (store.ChallengeState, error) {
	return e.store.ChallengeState(ctx, challenge, browser)
}

// Run gives networks back what redeemed codes had charged, in batches: after the
// commit, so that no sign-in holds an IP's row longer than it must. And it looks after the alarm
// (alarm.go). It returns when ctx ends, with what was owed by then given back, and what was counted
// written down.
func (e *Engine) Run(ctx context.Context) {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { e.watch(ctx) })
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			e.giveBack(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			e.giveBack(ctx)
		}
	}
}

// refund is what one redeemed challenge gives back.
type refund struct {
	limit store.Limit
	units int
}

func (e *Engine) giveBack(ctx context.Context) {
	units := map[store.Limit]int{}
	for range len(e.refunds) {
		r := <-e.refunds
		units[r.limit] += r.units
	}
	if len(units) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := e.store.Refund(ctx, units); err != nil {
		e.log.WarnContext(ctx, "could not refund send limits", "error", err)
	}
}
