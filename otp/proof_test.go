package otp_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/otp"
	"idp/store"
)

// asked is an engine of whose codes a network gets two for nothing and six in all, of
// which none comes back while a test runs.
func asked(t *testing.T) *fixture {
	t.Helper()
	return setup(t, func(c *otp.Config) {
		c.ProofBits = 8
		c.Limits.RecipientSends = nil
		c.Limits.IPSends = []store.Window{{Count: 6, Period: 24 * time.Hour}}
		c.Limits.IPProof = []store.Window{{Count: 2, Period: 24 * time.Hour}}
	})
}

const network = "192.0.2.1"

// spend takes what the network gets for nothing.
func (f *fixture) spend() {
	f.t.Helper()
	for i := range 2 {
		f.begin(attempt(store.Email(fmt.Sprintf("free%d@example.com", i)), network))
	}
}

// refused asks for a code, and gives the puzzle of the refusal.
func (f *fixture) refused(a store.Attempt) store.Puzzle {
	f.t.Helper()
	if _, err := f.engine.Begin(f.t.Context(), a); store.CodeOf(err) != store.Unproven {
		f.t.Fatalf("got %v, want unproven", err)
	}
	return f.engine.Puzzle(a)
}

// solve does the work of a puzzle, as the page's script does.
func solve(t *testing.T, p store.Puzzle) store.Solution {
	t.Helper()
	seed, err := hex.DecodeString(p.Seed)
	if err != nil || len(seed) != 16 {
		t.Fatalf("seed %q", p.Seed)
	}
	var answer []byte
	for part := range p.Parts {
		for n := uint32(0); ; n++ {
			block := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(append([]byte(nil), seed...), uint32(part)), n)
			sum := sha256.Sum256(block)
			if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:])) >= p.Bits {
				answer = binary.BigEndian.AppendUint32(answer, n)
				break
			}
		}
	}
	return store.Solution{Puzzle: p.Sealed, Answer: hex.EncodeToString(answer)}
}

func TestProofLetsThrough(t *testing.T) {
	t.Parallel()
	f := asked(t)
	f.spend()
	a := attempt("ada@example.com", network)
	p := f.refused(a)
	if p.Bits != 4 || p.Parts != 16 || p.Subject != "" || p.Early || p.Failed {
		t.Errorf("puzzle %+v", p)
	}
	if len(f.outbox.sent) != 2 {
		t.Fatal("a refused request was mailed")
	}
	a.Solution = solve(t, p)
	id, code := f.begin(a)
	if o := f.verify(id, a, code); o != store.OutcomeAccepted {
		t.Fatal(o)
	}
	f.begin(attempt("ada@example.com", "192.0.2.2")) // another network is not asked
}

// A solution is worth nothing for anything else than what its puzzle was made for.
func TestProofIsBound(t *testing.T) {
	t.Parallel()
	f := asked(t)
	f.spend()
	a := attempt("ada@example.com", network)
	a.Solution = solve(t, f.refused(a))
	for name, change := range map[string]func(*store.Attempt){
		"another browser":  func(a *store.Attempt) { a.Browser[0] ^= 1 },
		"another request":  func(a *store.Attempt) { a.Request[15] ^= 1 },
		"another purpose":  func(a *store.Attempt) { a.Purpose = store.PurposeRecover },
		"another address":  func(a *store.Attempt) { a.Email = "bob@example.com" },
		"a longer address": func(a *store.Attempt) { a.Email = "ada@example.com.au" },
		"another answer":   func(a *store.Attempt) { a.Solution.Answer = strings.Repeat("00000000", 16) },
		"half an answer":   func(a *store.Attempt) { a.Solution.Answer = a.Solution.Answer[:64] },
		"no answer":        func(a *store.Attempt) { a.Solution.Answer = "" },
		"rubbish":          func(a *store.Attempt) { a.Solution.Answer = "é" },
		"no puzzle":        func(a *store.Attempt) { a.Solution.Puzzle = "" },
		"rubbish puzzle":   func(a *store.Attempt) { a.Solution.Puzzle = "AAAA" },
		"other parts": func(a *store.Attempt) {
			a.Solution.Answer = a.Solution.Answer[8:] + a.Solution.Answer[:8]
		},
		"a token": func(a *store.Attempt) { a.Solution.Answer, a.Solution.Token = "", "token" },
	} {
		b := a
		change(&b)
		if _, err := f.engine.Begin(t.Context(), b); store.CodeOf(err) != store.Unproven {
			t.Errorf("%s: got %v, want unproven", name, err)
		}
	}
	f.begin(a)
}

// What was shown comes back while it is good: a wrong answer says so, and one that is
// too old has a new puzzle.
func TestPuzzleComesBack(t *testing.T) {
	t.Parallel()
	f := asked(t)
	f.spend()
	a := attempt("ada@example.com", network)
	first := f.refused(a)
	a.Solution = store.Solution{Puzzle: first.Sealed}
	if p := f.refused(a); p.Sealed != first.Sealed || !p.Early || p.Failed {
		t.Errorf("too early: %+v", p)
	}
	a.Solution.Answer = strings.Repeat("00000000", 16)
	if p := f.refused(a); p.Sealed != first.Sealed || p.Early || !p.Failed {
		t.Errorf("wrong: %+v", p)
	}
	a.Solution = solve(t, first)
	f.db.AdvanceForTest(10 * time.Minute)
	if p := f.refused(a); p.Sealed == first.Sealed || p.Early || p.Failed {
		t.Errorf("too old: %+v", p)
	}
}

// Who shows nothing waits for half a minute, and one of a network at a time gets through.
func TestWaitingIsAProof(t *testing.T) {
	t.Parallel()
	f := asked(t)
	f.spend()
	var waiting []store.Attempt
	for _, email := range []store.Email{"ada@example.com", "bob@example.com", "eve@example.com"} {
		a := attempt(email, network)
		p := f.refused(a)
		if p.Wait <= 20*time.Second || p.Wait > 30*time.Second {
			t.Errorf("wait %s", p.Wait)
		}
		a.Solution.Puzzle = p.Sealed
		waiting = append(waiting, a)
	}
	f.db.AdvanceForTest(20 * time.Second)
	f.refused(waiting[0])
	f.db.AdvanceForTest(15 * time.Second)
	f.begin(waiting[0])
	if p := f.refused(waiting[1]); !p.Early || p.Wait != 0 {
		t.Errorf("while another one of the network goes on: %+v", p)
	}
	f.db.AdvanceForTest(35 * time.Second)
	f.begin(waiting[1])
	f.refused(waiting[2])
}

// One more code takes a proof as well, also where a form that was sent again asks for it.
func TestResendTakesAProof(t *testing.T) {
	t.Parallel()
	f := asked(t)
	a := attempt("ada@example.com", network)
	id, _ := f.begin(a)
	f.begin(attempt("bob@example.com", network))
	f.db.AdvanceForTest(65 * time.Second)
	if _, err := f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: a}); store.CodeOf(err) != store.Unproven {
		t.Fatalf("got %v", err)
	}
	a.Solution = solve(t, f.refused(a))
	if b, err := f.engine.Begin(t.Context(), a); err != nil || b.ID != id || b.Sends != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	f.db.AdvanceForTest(125 * time.Second)
	if b, err := f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: a}); err != nil || b.Sends != 3 {
		t.Fatalf("%+v, %v", b, err)
	}
}

// An app's server is asked nothing, and where nothing is counted nobody is.
func TestWhoIsNotAsked(t *testing.T) {
	t.Parallel()
	f := asked(t)
	for i := range 8 {
		if err := f.engine.SendVerification(t.Context(), store.Verification{Client: "shop", App: "Shop", Email: store.Email(fmt.Sprintf("p%d@example.com", i)), Locale: "en"}); err != nil {
			t.Fatal(err)
		}
	}
	for name, limits := range map[string]func(*otp.Limits){
		"IP_SENDS": func(l *otp.Limits) { l.IPSends = nil },
		"IP_PROOF": func(l *otp.Limits) { l.IPProof = nil },
	} {
		f := setup(t, func(c *otp.Config) { limits(&c.Limits) })
		for i := range 35 {
			if _, err := f.engine.Begin(t.Context(), attempt(store.Email(fmt.Sprintf("p%d@example.com", i)), network)); err != nil {
				t.Fatalf("%s off, request %d: %v", name, i+1, err)
			}
		}
	}
}

// Whatever a code was for: redeemed, it is given back to the network with all that its
// challenge has sent.
func TestRefundOfEveryPurpose(t *testing.T) {
	t.Parallel()
	f := asked(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { f.engine.Run(ctx) })
	for _, purpose := range []store.Purpose{store.PurposeRegister, store.PurposeSignIn, store.PurposeRecover} {
		a := attempt("ada@example.com", network)
		a.Purpose = purpose
		id := f.beginOnceRefunded(a)
		f.db.AdvanceForTest(65 * time.Second)
		if _, err := f.engine.Resend(t.Context(), store.Again{Challenge: id, Attempt: a}); err != nil {
			t.Fatalf("purpose %d: %v", purpose, err)
		}
		if o := f.verify(id, a, f.outbox.last().Code); o != store.OutcomeAccepted {
			t.Fatal(o)
		}
	}
	cancel()
	wg.Wait()
	f.spend()
	f.refused(attempt("eve@example.com", network)) // and no more than that was given back
}

// beginOnceRefunded asks for a code until the network has room for one again.
func (f *fixture) beginOnceRefunded(a store.Attempt) store.ID {
	f.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		begun, err := f.engine.Begin(f.t.Context(), a)
		if err == nil {
			return begun.ID
		}
		// Limited, for a second, is who was refused just before there was room.
		if code := store.CodeOf(err); code != store.Unproven && code != store.Limited || time.Now().After(end) {
			f.t.Fatalf("purpose %d: %v", a.Purpose, err)
		}
	}
}

// bots is a service that tells people from programs.
type bots struct {
	mu      sync.Mutex
	subject string
	asked   int
	err     error
}

func (b *bots) Passed(_ context.Context, token, subject string, _ netip.Addr) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return token == "a person's" && subject == b.subject, b.err
}

// The service's word takes the place of the work; while it cannot be asked, the work that
// of the service.
func TestServiceTells(t *testing.T) {
	t.Parallel()
	f := asked(t)
	service := &bots{}
	config := otp.DefaultConfig()
	config.ProofBits = 8
	config.Limits.IPProof = []store.Window{{Count: 2, Period: 24 * time.Hour}}
	var err error
	f.engine, err = otp.New(otp.Deps{Store: f.db, Ring: f.ring, Outbox: f.outbox, Config: config, Bots: service, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f.spend()
	a := attempt("ada@example.com", network)
	p := f.refused(a)
	if p.Subject == "" || p.Seed != "" || p.Bits != 0 {
		t.Fatalf("puzzle %+v", p)
	}
	service.subject = p.Subject
	a.Solution = store.Solution{Puzzle: p.Sealed, Answer: strings.Repeat("00000000", 16)}
	f.refused(a) // no work will do
	a.Solution.Answer, a.Solution.Token = "", "a program's"
	if p := f.refused(a); !p.Failed {
		t.Errorf("puzzle %+v", p)
	}
	a.Solution.Token = "a person's"
	f.begin(a)

	b := attempt("bob@example.com", network)
	b.Solution = store.Solution{Puzzle: f.refused(b).Sealed, Token: "a person's"} // for another subject
	f.refused(b)

	service.err = errors.New("no answer")
	asked := service.asked
	p = f.refused(b)
	if p.Bits == 0 || p.Seed == "" || p.Failed {
		t.Fatalf("without the service: %+v", p)
	}
	b.Solution = solve(t, p)
	f.begin(b)
	c := attempt("eve@example.com", network)
	c.Solution.Puzzle = f.refused(c).Sealed
	if service.asked != asked+1 {
		t.Errorf("asked %d times while it does not answer, want once", service.asked-asked)
	}
	f.db.AdvanceForTest(65 * time.Second)
	if p := f.refused(attempt("joe@example.com", network)); p.Subject == "" {
		t.Error("the service is not asked again")
	}
}
