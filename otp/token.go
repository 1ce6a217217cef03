package otp

import (
	"context"
	"crypto/rand"
	"fmt"

	"idp/store"
)

// TokenGuess makes a proof of a one-time token. The challenge is named after token, browser
// and authorization request, so that a double click is the same guess. The token says
// whether it recovers an account. The error is [store.NotFound] if there is no such token.
func (e *Engine) TokenGuess(ctx context.Context, t store.TokenTry) (store.Guess, error) {
	hash, ok := store.HashOneTimeToken(t.Token)
	if !ok {
		return store.Guess{}, &store.Error{Code: store.NotFound, Op: "read one-time token"}
	}
	made, err := e.store.OneTimeTokenByHash(ctx, hash)
	if err != nil {
		return store.Guess{}, err
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
