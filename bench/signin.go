package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// step is one part of a sign-in.
type step int

// The steps, in their order.
const (
	stepAuthorize step = iota
	stepAddress
	stepCodePage
	stepMail
	stepVerify
	stepToken
	stepUserinfo
	steps int = iota
)

var stepNames = [steps]string{"authorize", "address", "code page", "mail", "verify", "token", "userinfo"}

// begin readies one person's sign-in with a new browser.
func (a *app) begin(t *http.Transport, mails *sink, p person) *signIn {
	return &signIn{app: a, browser: newBrowser(t, p.network), backend: http.Client{Transport: t, Timeout: 30 * time.Second},
		mails: mails, person: p, state: rand.Text(), nonce: rand.Text(), verifier: rand.Text() + rand.Text()}
}

// signIn is one sign-in under way.
type signIn struct {
	app     *app
	browser *browser
	backend http.Client // of the application's server
	mails   *sink
	person  person

	state, nonce, verifier string

	form    form   // on the page that is open
	next    string // where the last answer leads
	typed   string // the code from the mail
	code    string // the authorization code
	access  string
	refresh string // "" unless it was asked for
	subject string
}

// run does all steps. screen is "sign_in" or "register".
func (s *signIn) run(ctx context.Context, screen string) (timing, error) {
	done := timing{steps: make([]time.Duration, steps)}
	for i, do := range [steps]func(context.Context) error{
		stepAuthorize: func(ctx context.Context) error { return s.authorize(ctx, screen) },
		stepAddress:   s.address,
		stepCodePage:  s.codePage,
		stepMail:      s.mail,
		stepVerify:    s.verify,
		stepToken:     s.token,
		stepUserinfo:  s.userinfo,
	} {
		start := time.Now()
		if err := do(ctx); err != nil {
			return done, fmt.Errorf("%s, step %q: %w", s.person.email, stepNames[i], err)
		}
		done.steps[i] = time.Since(start)
	}
	done.end = time.Now()
	return done, nil
}

func (s *signIn) authorize(ctx context.Context, screen string) error {
	hash := sha256.Sum256([]byte(s.verifier))
	page, err := s.browser.get(ctx, s.app.endpoint+"/oidc/auth?"+url.Values{
		"client_id": {s.app.ID}, "redirect_uri": {s.app.redirect}, "response_type": {"code"},
		"scope": {s.app.scope}, "state": {s.state}, "nonce": {s.nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(hash[:])}, "code_challenge_method": {"S256"},
		"first_screen": {screen},
	}.Encode())
	if err != nil {
		return err
	}
	if err := page.expect(http.StatusOK); err != nil {
		return err
	}
	s.form, err = findForm(page.body, "email")
	return err
}

func (s *signIn) address(ctx context.Context) error {
	a, err := s.browser.submit(ctx, s.form, "email", s.person.email)
	if err != nil {
		return err
	}
	if err := a.expect(http.StatusSeeOther); err != nil {
		return err
	}
	next, err := a.request.URL.Parse(a.location)
	if err != nil || next.Path != "/verify" {
		return fmt.Errorf("POST %s leads to %q instead of /verify", a.request.URL.Path, a.location)
	}
	s.next = next.String()
	return nil
}

func (s *signIn) codePage(ctx context.Context) error {
	page, err := s.browser.get(ctx, s.next)
	if err != nil {
		return err
	}
	if err := page.expect(http.StatusOK); err != nil {
		return err
	}
	s.form, err = findForm(page.body, "code")
	return err
}

// patience is how long a mail may take.
const patience = 10 * time.Second

func (s *signIn) mail(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s.typed, err = s.mails.wait(ctx, s.person.email)
	return err
}

func (s *signIn) verify(ctx context.Context) error {
	a, err := s.browser.submit(ctx, s.form, "code", s.typed)
	if err != nil {
		return err
	}
	if err := a.expect(http.StatusSeeOther); err != nil {
		return err
	}
	back, query, _ := strings.Cut(a.location, "?")
	q, err := url.ParseQuery(query)
	s.code = q.Get("code")
	if err != nil || back != s.app.redirect || q.Get("state") != s.state || q.Get("iss") != s.app.endpoint+"/oidc" || s.code == "" {
		return fmt.Errorf("POST /verify leads to %q: want %s with code, state and iss", a.location, s.app.redirect)
	}
	return nil
}

func (s *signIn) token(ctx context.Context) error {
	req, err := s.app.post(ctx, "/oidc/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {s.code}, "redirect_uri": {s.app.redirect}, "code_verifier": {s.verifier},
	})
	if err != nil {
		return err
	}
	var t tokens
	if err := s.call(req, &t); err != nil {
		return err
	}
	claims := t.claims()
	if t.Access == "" || claims.Sub == "" || claims.Nonce != s.nonce || claims.Aud != s.app.ID {
		return errors.New("POST /oidc/token: access_token missing, or an ID token that is not ours")
	}
	s.access, s.refresh, s.subject = t.Access, t.Refresh, claims.Sub
	return nil
}

func (s *signIn) userinfo(ctx context.Context) error {
	req, err := s.app.userinfo(ctx, s.access)
	if err != nil {
		return err
	}
	var info struct{ Sub, Email string }
	if err := s.call(req, &info); err != nil {
		return err
	}
	if info.Sub != s.subject || info.Email != s.person.email {
		return fmt.Errorf("GET /oidc/me is about %q (%s), want %q (%s)", info.Sub, info.Email, s.subject, s.person.email)
	}
	return nil
}

func (s *signIn) call(req *http.Request, into any) error { return call(&s.backend, req, into) }
