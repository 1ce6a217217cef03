package metrics

import (
	"context"
	"errors"

	"idp/op"
	"idp/store"
	"idp/web/api"
	"idp/web/signin"
)

// CodeEngine is what pages and the API ask of the code engine.
type CodeEngine interface {
	signin.Codes
	api.Codes
}

// Codes measures what is asked of the code engine.
func (m *Metrics) Codes(e CodeEngine) CodeEngine {
	if m == nil {
		return e
	}
	return &codes{CodeEngine: e, m: m}
}

type codes struct {
	CodeEngine
	m *Metrics
}

// asked counts what came of asking for a code.
func (c *codes) asked(p store.Purpose, b store.Begun, done string, err error) {
	switch {
	case err != nil:
		done = c.m.failure(err)
	case b.Suppressed:
		done = "suppressed"
	case b.Decoy:
		done = "withheld"
	case b.Again:
		done = "repeated"
	}
	c.m.codes.WithLabelValues(purpose(p), done).Inc()
}

func (c *codes) offered(p store.Purpose, in store.SignedIn, err error) {
	result := outcome(in.Outcome)
	if err != nil {
		result = c.m.failure(err)
	} else if in.Outcome == store.OutcomeLimited && in.Limit != "" {
		c.m.refused.WithLabelValues(in.Limit).Inc()
	}
	c.m.guesses.WithLabelValues(purpose(p), result).Inc()
}

func (c *codes) Begin(ctx context.Context, a store.Attempt) (store.Begun, error) {
	b, err := c.CodeEngine.Begin(ctx, a)
	c.asked(a.Purpose, b, "sent", err)
	return b, err
}

func (c *codes) Resend(ctx context.Context, a store.Again) (store.Begun, error) {
	b, err := c.CodeEngine.Resend(ctx, a)
	c.asked(a.Purpose, b, "resent", err)
	return b, err
}

func (c *codes) TokenGuess(ctx context.Context, t store.TokenTry) (store.Guess, error) {
	g, err := c.CodeEngine.TokenGuess(ctx, t)
	if err != nil {
		c.offered(store.PurposeSignIn, store.SignedIn{}, err)
	}
	return g, err
}

func (c *codes) Verify(ctx context.Context, g store.Guess, done store.Completion) (store.SignedIn, error) {
	in, err := c.CodeEngine.Verify(ctx, g, done)
	c.offered(g.Purpose, in, err)
	return in, err
}

func (c *codes) SendVerification(ctx context.Context, v store.Verification) error {
	err := c.CodeEngine.SendVerification(ctx, v)
	c.asked(store.PurposeVerify, store.Begun{}, "sent", err)
	return err
}

func (c *codes) CheckVerification(ctx context.Context, v store.Verification, code string) (store.SignedIn, error) {
	in, err := c.CodeEngine.CheckVerification(ctx, v, code)
	c.offered(store.PurposeVerify, in, err)
	return in, err
}

// failure is the code of an error, which is of a closed set, and counts a limit that refused.
func (m *Metrics) failure(err error) string {
	var e *store.Error
	if !errors.As(err, &e) {
		if errors.Is(err, context.Canceled) {
			return "canceled"
		}
		return "error"
	}
	if e.Limit != "" {
		m.refused.WithLabelValues(e.Limit).Inc()
	}
	return string(e.Code)
}

// Sessions measures sign-ins from a session.
func (m *Metrics) Sessions(s op.Store) op.Store {
	if m == nil {
		return s
	}
	return &sessions{s, m}
}

type sessions struct {
	op.Store
	m *Metrics
}

func (s *sessions) CompleteSession(ctx context.Context, session, browser store.Hash, c store.Completion) (store.SignedIn, error) {
	in, err := s.Store.CompleteSession(ctx, session, browser, c)
	result := outcome(in.Outcome)
	if err != nil {
		result = s.m.failure(err)
	}
	s.m.sessions.WithLabelValues(result).Inc()
	return in, err
}

func purpose(p store.Purpose) string {
	switch p {
	case store.PurposeSignIn:
		return "sign_in"
	case store.PurposeRegister:
		return "register"
	case store.PurposeRecover:
		return "recover"
	case store.PurposeConsole:
		return "console"
	case store.PurposeVerify:
		return "verify"
	}
	return "other"
}

func outcome(o store.Outcome) string {
	switch o {
	case store.OutcomeAccepted:
		return "accepted"
	case store.OutcomeWrong:
		return "wrong"
	case store.OutcomeStale:
		return "stale"
	case store.OutcomeSpent:
		return "spent"
	case store.OutcomeExpired:
		return "expired"
	case store.OutcomeUsed:
		return "used"
	case store.OutcomeGone:
		return "gone"
	case store.OutcomeConfirm:
		return "confirm"
	case store.OutcomeSuspended:
		return "suspended"
	case store.OutcomeLimited:
		return "limited"
	case store.OutcomeClosed:
		return "closed"
	case store.OutcomeNoOperator:
		return "no_operator"
	}
	return "other"
}
