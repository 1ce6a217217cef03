package otp

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"idp/store"
)

// clickedTwice is how long a token that was used may come again from who has used it: no
// less than the store lets the same proof in again.
const clickedTwice = time.Minute

// TokenGuess makes a proof of a one-time token. The challenge is named after token, browser
// and authorization request, so that a double click is the same guess. The token says
// whether it recovers an account. The error is [store.NotFound] if there is no such token, or
// none that is of any use now: pages that only show it know that as well. (What uses it up
// asks again.)
func (e *Engine) TokenGuess(ctx context.Context, t store.TokenTry) (store.Guess, error) {
	hash, ok := store.HashOneTimeToken(t.Token)
	if !ok {
		return store.Guess{}, &store.Error{Code: store.NotFound, Op: "read one-time token"}
	}
	made, err := e.store.OneTimeTokenByHash(ctx, hash)
	if err != nil {
		return store.Guess{}, err
	}
	now := e.store.Now()
	if s := made.Status(now); s == store.TokenRevoked || s == store.TokenExpired || s == store.TokenConsumed && now.Sub(made.ConsumedAt) > clickedTwice {
		return store.Guess{}, &store.Error{Code: store.NotFound, Op: "read one-time token"}
	}
	purpose := store.PurposeSignIn
	if made.Recovers() {
		purpose = store.PurposeRecover
	}
	id := t.Request
	sum := e.ids.Sum([]byte("one-time token"), t.Browser[:], t.Request[:], hash[:])
	copy(id[6:], sum[:])
	g := store.Guess{
		Challenge: id, Browser: t.Browser, Purpose: purpose, Request: t.Request, Email: t.Email,
		Confirm: purpose != store.PurposeRecover, // who was handed a token is not asked whether to register
		MACs:    []store.Hash{e.codes.Sum([]byte("one-time token"), hash[:], id[:])},
		Token:   store.TokenProof{Hash: hash, TTL: e.config.CodeTTL},
	}
	g.Address, g.Former = e.Address(t.Email)
	rand.Read(g.Attempt[:])
	if purpose == store.PurposeRecover {
		try := store.Try{Challenge: id, Email: t.Email, Browser: t.Browser, Locale: t.Locale, App: t.App, BrowserName: t.BrowserName}
		if g.Notice, err = e.notice(try); err != nil {
			return store.Guess{}, fmt.Errorf("seal notice: %w", err)
		}
	}
	return g, nil
}
