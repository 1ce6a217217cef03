package otp

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"idp/store"
)

// attempt names what belongs to an app and an address in one stretch of time as long as a
// challenge lives, so that the code finds its challenge by these alone.
func (e *Engine) attempt(v store.Verification, stretch int64) store.Attempt {
	a := store.Attempt{Purpose: store.PurposeVerify, Email: v.Email, Locale: v.Locale, App: v.App}
	a.Browser = e.ids.Sum([]byte("app that verifies"), []byte(v.Client))
	start := time.UnixMicro(stretch * e.config.TTL.Microseconds())
	a.Request = store.NewID(start)
	sum := e.ids.Sum([]byte("verification"), []byte(v.Client), []byte(v.Email), binary.BigEndian.AppendUint64(nil, uint64(stretch)))
	copy(a.Request[6:], sum[:])
	return a
}

// newest finds the newest challenge of an app and an address; a zero id if there is none.
func (e *Engine) newest(ctx context.Context, v store.Verification) (a store.Attempt, id store.ID, st store.ChallengeState, err error) {
	now := e.store.Now().UnixMicro() / e.config.TTL.Microseconds()
	for _, stretch := range []int64{now, now - 1} {
		a = e.attempt(v, stretch)
		for round := range byte(maxRounds) {
			next := e.challengeID(a, round)
			state, err := e.store.ChallengeState(ctx, next, a.Browser)
			if store.CodeOf(err) == store.NotFound {
				break
			}
			if err != nil {
				return a, id, st, err
			}
			id, st = next, state
		}
		if !id.IsZero() {
			return a, id, st, nil
		}
	}
	return e.attempt(v, now), id, st, nil
}

// SendVerification mails a code, or one more on a challenge that lives. Errors as of
// [Engine.Begin]; the wait between two mails is [store.Limited], too.
func (e *Engine) SendVerification(ctx context.Context, v store.Verification) error {
	a, id, st, err := e.newest(ctx, v)
	if err != nil {
		return err
	}
	if id.IsZero() || e.over(st) {
		fresh := e.attempt(v, e.store.Now().UnixMicro()/e.config.TTL.Microseconds())
		_, err = e.Begin(ctx, fresh)
		return err
	}
	_, err = e.Resend(ctx, store.Again{Challenge: id, Attempt: a})
	if store.CodeOf(err) == store.Spent {
		return &store.Error{Code: store.Limited, Op: "send verification code", Wait: st.ExpiresAt.Sub(e.store.Now()), Err: errors.New("no more codes on this challenge")}
	}
	return err
}

// CheckVerification judges the code that somebody gave the app, and uses it up. Outcomes:
// those of a code that is typed; OutcomeGone if none was sent.
func (e *Engine) CheckVerification(ctx context.Context, v store.Verification, code string) (store.SignedIn, error) {
	a, id, _, err := e.newest(ctx, v)
	if err != nil || id.IsZero() {
		return store.SignedIn{Outcome: store.OutcomeGone}, err
	}
	g, err := e.Guess(store.Try{Challenge: id, Purpose: a.Purpose, Email: v.Email, Browser: a.Browser, Request: a.Request, Code: code, Confirm: true})
	if err != nil {
		return store.SignedIn{}, err
	}
	return e.Verify(ctx, g, store.Completion{})
}
