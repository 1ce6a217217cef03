package otp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net/netip"
	"strings"
	"time"

	"idp/store"
)

// Bots tells people from programs.
type Bots interface {
	// Passed tells whether the service made this token for a person, for this subject. The
	// address is the one that brings the token.
	// The error is that the service cannot be asked now.
	Passed(ctx context.Context, token, subject string, ip netip.Addr) (bool, error)
}

const (
	// proofParts is what the work is divided into: sixteen short searches take about the
	// same time each time, one long search may take five times as long as most; and there
	// is progress to show.
	proofParts = 16
	// proofLife is how long a puzzle is good for: a person who looks away for a while goes
	// on; what was solved in store is soon worth nothing.
	proofLife = 10 * time.Minute
	// proofWait is how long who can show nothing else waits: a program that does not calculate
	// gets through no faster than one that does, see limitIPWaits. The page's style sheet has
	// the same half minute.
	proofWait = 30 * time.Second
	// botsPause is for how long the service is left alone after it did not answer: each
	// visitor would wait for its time-out.
	botsPause = time.Minute
)

// puzzle is what is sealed in one. It is valid for the attempt that it is sealed with,
// whose challenge's name is made of the same parts.
type puzzle struct {
	sealed []byte
	bits   int // of each part; 0: the service tells
	made   time.Time
}

// boundTo is the attempt, each part but the last of a fixed length.
func boundTo(a store.Attempt) []byte {
	b := append([]byte{byte(a.Purpose)}, a.Browser[:]...)
	return append(append(b, a.Request[:]...), a.Email...)
}

// Puzzle is what has to be shown for the code that was answered with [store.Unproven].
// What was shown already comes back while it is good, so that nobody waits anew who was
// a moment too early.
func (e *Engine) Puzzle(a store.Attempt) store.Puzzle {
	p, known := e.openPuzzle(a)
	if p.bits == 0 && !e.asksService() { // it cannot be shown a token any more
		known = false
	}
	shown := store.Puzzle{Parts: proofParts}
	if known {
		shown.Failed = a.Solution.Answer != "" || a.Solution.Token != ""
		shown.Early = !shown.Failed
	} else {
		p = e.newPuzzle(a)
	}
	shown.Sealed, shown.Bits = base64.RawURLEncoding.EncodeToString(p.sealed), p.bits
	shown.Wait = max(p.made.Add(proofWait).Sub(e.store.Now()), 0)
	if p.bits == 0 {
		shown.Subject = p.subject()
	} else {
		seed := p.seed()
		shown.Seed = hex.EncodeToString(seed[:])
	}
	return shown
}

func (e *Engine) newPuzzle(a store.Attempt) puzzle {
	p := puzzle{made: e.store.Now()}
	if !e.asksService() {
		p.bits = e.config.ProofBits - bits.Len(proofParts-1)
	}
	text := binary.BigEndian.AppendUint64([]byte{1, byte(p.bits)}, uint64(p.made.UnixMicro()))
	p.sealed = e.puzzles.Seal(text, boundTo(a))
	return p
}

// openPuzzle reads the puzzle that an attempt brings; false if it is not ours, another
// attempt's, or too old.
func (e *Engine) openPuzzle(a store.Attempt) (p puzzle, ok bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(a.Solution.Puzzle)
	if err != nil || len(sealed) == 0 {
		return p, false
	}
	text, err := e.puzzles.Open(sealed, boundTo(a))
	if err != nil || len(text) != 10 || text[0] != 1 {
		return p, false
	}
	p = puzzle{sealed: sealed, bits: int(text[1]), made: time.UnixMicro(int64(binary.BigEndian.Uint64(text[2:])))}
	return p, e.store.Now().Before(p.made.Add(proofLife))
}

// seed is what the work starts from. It is short, so that a part is one block of SHA-256.
func (p puzzle) seed() [16]byte {
	sum := sha256.Sum256(p.sealed)
	return [16]byte(sum[:])
}

// subject is what a token of the service has to be for.
func (p puzzle) subject() string {
	sum := sha256.Sum256(append([]byte("subject"), p.sealed...))
	return hex.EncodeToString(sum[:16])
}

// solves tells whether an answer is right: for each part, a number of 32 bits in hex with
// which SHA-256(seed, part, number) begins with enough zero bits.
func (p puzzle) solves(answer string) bool {
	numbers, err := hex.DecodeString(answer)
	if err != nil || len(numbers) != 4*proofParts || p.bits == 0 {
		return false
	}
	seed := p.seed()
	for part := range proofParts {
		block := binary.BigEndian.AppendUint32(seed[:len(seed):len(seed)], uint32(part))
		sum := sha256.Sum256(append(block, numbers[4*part:4*part+4]...))
		if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:])) < p.bits {
			return false
		}
	}
	return true
}

// shown is what an attempt brings.
type shown int

const (
	shownNothing shown = iota
	shownWaiting
	shownProof
)

func (e *Engine) shown(ctx context.Context, a store.Attempt) shown {
	p, ok := e.openPuzzle(a)
	switch {
	case !ok:
		return shownNothing
	case p.solves(a.Solution.Answer), p.bits == 0 && e.passed(ctx, p, a):
		return shownProof
	case !e.store.Now().Before(p.made.Add(proofWait)):
		return shownWaiting
	}
	return shownNothing
}

// passed asks the service for a token. One that cannot be asked has no say for a while:
// the built-in work takes its place.
func (e *Engine) passed(ctx context.Context, p puzzle, a store.Attempt) bool {
	if strings.TrimSpace(a.Solution.Token) == "" || !e.asksService() {
		return false
	}
	ok, err := e.bots.Passed(ctx, a.Solution.Token, p.subject(), a.IP)
	if err != nil && ctx.Err() == nil {
		e.botsBack.Store(e.store.Now().Add(botsPause).UnixMicro())
		e.log.WarnContext(ctx, "cannot ask who is a person: the built-in proof of work takes its place for a while", "error", err)
	}
	return ok && err == nil
}

// asksService tells whether it is the service that tells people from programs, now.
func (e *Engine) asksService() bool {
	return e.bots != nil && e.store.Now().UnixMicro() >= e.botsBack.Load()
}
