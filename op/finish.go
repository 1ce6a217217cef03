package op

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"idp/store"
)

// How long a sealed request is worth something: fresh for an hour, after which a
// page says so and restarts it in place; after a day the app has to start again.
const (
	requestFresh = time.Hour
	requestKept  = 24 * time.Hour
)

// How long a session of the console lives, unused and at all.
const (
	consoleIdle     = 30 * time.Minute
	consoleAbsolute = 12 * time.Hour
)

// Enter is the session of who enters the console by a link: the same one for the same link
// and browser.
func (p *Provider) Enter(link, browser store.Hash) (secret string, s store.NewSession) {
	sum := p.consoles.Sum([]byte("link"), link[:], browser[:])
	return encode(sum[:]), store.NewSession{Console: true, Hash: store.HashOf(sum[:]), Idle: consoleIdle, Absolute: consoleAbsolute}
}

// Seal makes the URL parameter r of a validated request, bound to a browser.
func (p *Provider) Seal(req store.AuthRequest, browser store.Hash) string {
	return seal(p.requests, browser, &req, &req.State)
}

// openTimeout bounds the look at the client in [Provider.Open], which is nearly
// always in the store's cache.
const openTimeout = 5 * time.Second

// Open reads what [Provider.Seal] made for this browser. Errors: [store.Expired]
// when it is older than an hour, with the request, or older than a day, without;
// [store.Invalid] when it was changed, belongs to another browser, or its client
// or redirect URI was removed since; others of the store.
func (p *Provider) Open(sealed string, browser store.Hash) (store.AuthRequest, error) {
	const op = "open authorization request"
	invalid := &store.Error{Code: store.Invalid, Op: op}
	var req store.AuthRequest
	if !open(p.requests, browser, sealed, &req, &req.State) {
		return store.AuthRequest{}, invalid
	}
	expired := &store.Error{Code: store.Expired, Op: op}
	age := p.store.Now().Sub(req.StartedAt)
	if age > requestKept {
		return store.AuthRequest{}, expired
	}
	if !req.IsOwn() {
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		client, err := p.store.Client(ctx, req.Client)
		switch {
		case store.CodeOf(err) == store.NotFound, err == nil && !client.Registered(req.RedirectURI):
			return store.AuthRequest{}, invalid
		case err != nil:
			return store.AuthRequest{}, err
		}
	}
	if age > requestFresh {
		return req, expired
	}
	return req, nil
}

// Finish is what follows when the challenge of a request is proved: the session,
// the authorization code and the redirect. Session secret and code are derived
// from the challenge under the current instance secret, so a second run of the
// same guess lands on the same ones. A recovery ends all else that the account has.
func (p *Provider) Finish(req store.AuthRequest, proof store.Proof) store.Finish {
	session := p.sessions.Sum(proof.Challenge[:])
	f := store.Finish{
		Completion: store.Completion{
			Session: store.NewSession{
				Hash: store.HashOf(session[:]), Idle: p.config.SessionIdle, Absolute: p.config.SessionAbsolute,
				AMR: []string{"otp"}, Replaces: proof.Previous, Agent: proof.Agent,
			},
			Event:  "user.signed_in",
			UserID: store.RandomText(12),
		},
		SessionSecret: encode(session[:]),
		Subject:       req.Subject,
		Redirect:      req.RedirectURI,
		Otherwise:     req.RedirectURI,
	}
	if req.Console {
		secret := p.consoles.Sum(proof.Challenge[:])
		f.SessionSecret, f.Completion.Event = encode(secret[:]), "console.signed_in"
		f.Completion.Session = store.NewSession{Console: true, Hash: store.HashOf(secret[:]), Idle: consoleIdle, Absolute: consoleAbsolute, Replaces: proof.Console}
	}
	if proof.Purpose == store.PurposeRecover {
		f.Completion.Others, f.Completion.Event = true, "user.recovered"
	}
	if !req.IsOwn() {
		code := p.codes.Sum(proof.Challenge[:])
		f.Completion.Code = p.newCode(req, code)
		f.Redirect = p.answer(targetOf(req), "code", encode(code[:]))
		f.Otherwise = p.answer(targetOf(req), "error", string(oidc.LoginRequired), "error_description", "somebody else has signed in")
	}
	return f
}

// Cancel is where the browser goes when the person turns back.
func (p *Provider) Cancel(req store.AuthRequest) string {
	if req.IsOwn() {
		return req.RedirectURI
	}
	return p.answer(targetOf(req), "error", string(oidc.AccessDenied), "error_description", "the person turned back")
}

func (p *Provider) newCode(req store.AuthRequest, code [32]byte) store.NewCode {
	return store.NewCode{
		Hash: store.HashOf(code[:]), Client: req.Client, RedirectURI: req.RedirectURI, CodeChallenge: req.CodeChallenge,
		Nonce: req.Nonce, Scopes: req.Scopes, Resources: req.Resources, Offline: slices.Contains(req.Scopes, scopeOffline), Subject: req.Subject, TTL: p.config.CodeTTL,
	}
}

// newSecret makes 256 random bits.
func newSecret() (s [32]byte) {
	rand.Read(s[:])
	return s
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
