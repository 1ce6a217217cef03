package op

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"idp/store"
	"idp/store/address"
)

// authorize is GET and POST /oidc/auth (OpenID Connect Core section 3.1.2). The
// page is the answer itself, without a hop to a login address.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	err := p.takeRequest(w, r)
	var back *denial
	switch {
	case err == nil:
	case errors.As(err, &back):
		p.log.InfoContext(r.Context(), "authorization request denied", "client", back.client, "error_code", back.code, "reason", back.description)
		seeOther(w, p.answer(back.to, "error", back.code, "error_description", back.description))
	default:
		p.showError(w, r, "authorization request", err)
	}
}

// showError answers by a page; what is the request that failed.
func (p *Provider) showError(w http.ResponseWriter, r *http.Request, what string, err error) {
	problem := store.Problem{Kind: "failure"}
	var page *refusal
	switch {
	case errors.As(err, &page):
		problem = page.problem
		p.log.InfoContext(r.Context(), what+" refused", "kind", problem.Kind)
	case answerable(err).ErrorType == requestCanceled:
		w.WriteHeader(statusLeft)
		return
	case answerable(err).ErrorType == temporarilyUnavailable:
		problem.Kind = "unavailable"
		p.log.WarnContext(r.Context(), what, "error", err)
		w.Header().Set("Retry-After", retryAfter)
	default:
		p.log.ErrorContext(r.Context(), what, "error", err)
	}
	p.pages.Refuse(w, r, problem)
}

func (p *Provider) takeRequest(w http.ResponseWriter, r *http.Request) error {
	form, err := p.takeForm(w, r, pathAuth)
	if form == nil || err != nil {
		return err
	}
	client, err := p.knownClient(r, form)
	if err != nil {
		return err
	}
	a, err := validate(form, client, p.store.Now())
	if err != nil {
		return err
	}
	if err := p.takeResources(r.Context(), form, &a); err != nil {
		return err
	}
	if text := form.Get("id_token_hint"); text != "" {
		h, ok := p.readHint(r.Context(), text)
		if !ok || h.Client != client.ID {
			return a.deny(string(oidc.InvalidRequest), "id_token_hint is not an ID token that this client was given here")
		}
		a.Subject = h.Subject
	}
	if answered, err := p.resume(w, r, &a, client); answered || err != nil {
		return err
	}
	if a.silent {
		return a.deny(string(oidc.LoginRequired), "nobody is signed in here who will do")
	}
	p.pages.Begin(w, r, a.AuthRequest, client)
	return nil
}

// takeForm reads the parameters of an address that browsers go to, from the query. A
// POST (OpenID Connect Core section 3.1.2.1) is sent to our own GET at path first.
// Without a form and an error the request is answered.
func (p *Provider) takeForm(w http.ResponseWriter, r *http.Request, path string) (url.Values, error) {
	switch {
	case r.Method == http.MethodPost:
		return nil, postToGet(w, r, path)
	case r.Method == http.MethodHead:
		return nil, nil // link checkers and mail scanners: nothing is done, nothing is told
	case !allowed(w, r, []string{http.MethodGet, http.MethodHead, http.MethodPost}):
		return nil, nil
	case isPrefetch(r):
		// A browser throws away a prefetched answer that is not 2xx, and asks again
		// when the person really comes (RFC 8470 names the status).
		w.WriteHeader(http.StatusTooEarly)
		return nil, nil
	case len(r.URL.RawQuery) > maxQuery:
		return nil, refuse("too_large", "the query is longer than 16384 bytes")
	}
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("bad_request", "the query is not well-formed")
	}
	return form, nil
}

// postToGet brings the parameters of a POST to our own GET: a form on another site's
// page arrives without Lax cookies.
func postToGet(w http.ResponseWriter, r *http.Request, path string) error {
	if !isForm(r) {
		return refuse("bad_request", "the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return refuse("too_large", "the form is longer than 65536 bytes")
		}
		return refuse("bad_request", "the form is not well-formed")
	}
	query := r.Form.Encode()
	if len(query) > maxQuery {
		return refuse("too_large", "the parameters are longer than 16384 bytes")
	}
	seeOther(w, base+path+"?"+query)
	return nil
}

// isPrefetch tells whether a browser asks for a page that nobody may ever see.
func isPrefetch(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Moz"} {
		if strings.Contains(strings.ToLower(r.Header.Get(name)), "prefetch") {
			return true
		}
	}
	return false
}

// knownClient finds the client and makes sure of the redirect URI. Until then
// nothing may be redirected (RFC 6749 section 4.1.2.1).
func (p *Provider) knownClient(r *http.Request, form url.Values) (store.Client, error) {
	id, uri := form.Get("client_id"), form.Get("redirect_uri")
	if len(form["client_id"]) > 1 || len(form["redirect_uri"]) > 1 {
		return store.Client{}, refuse("bad_request", "client_id or redirect_uri is there twice")
	}
	problem := store.Problem{Client: shown(id), Sent: shown(uri)}
	if !isClientID(id) {
		problem.Kind = "unknown_client"
		return store.Client{}, &refusal{problem}
	}
	client, err := p.store.Client(r.Context(), id)
	switch {
	case store.CodeOf(err) == store.NotFound:
		problem.Kind = "unknown_client"
		return client, &refusal{problem}
	case err != nil:
		return client, err
	case !client.Registered(uri):
		problem.Kind, problem.Registered = "redirect_mismatch", client.RedirectURIs
		return client, &refusal{problem}
	}
	return client, nil
}

// isClientID spares the database text that no client id has.
func isClientID(id string) bool { return id != "" && len(id) <= 64 && isBase64URL(id) }

func shown(text string) string {
	if len(text) > maxShown {
		text = text[:maxShown]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// resume answers from the live session of this browser, if there is one that will do,
// or asks whether to go on as its person. If it does neither, it has put into the
// request what the page is to know.
func (p *Provider) resume(w http.ResponseWriter, r *http.Request, a *authorization, client store.Client) (answered bool, err error) {
	session, signedIn := p.browser.Session(r)
	browser, known := p.browser.Hash(r)
	if !signedIn || !known {
		return false, nil
	}
	err = p.fromSession(w, r, a, client, session, browser)
	switch {
	case err == nil:
		return true, nil
	case store.CodeOf(err) == store.NotFound:
		return false, nil
	case a.silent:
		switch e := answerable(err); e.ErrorType {
		case requestCanceled:
			return false, err
		case temporarilyUnavailable:
			return false, a.deny(temporarilyUnavailable, e.Description)
		}
		p.log.ErrorContext(r.Context(), "answer from a session", "error", err)
		return false, a.deny(string(oidc.ServerError), "something went wrong on the server")
	}
	return false, err
}

// fromSession answers from a session. The error is [store.NotFound] if it is gone or
// will not do.
func (p *Provider) fromSession(w http.ResponseWriter, r *http.Request, a *authorization, client store.Client, session, browser store.Hash) error {
	hinted, err := address.Parse(a.LoginHint)
	isHinted := err == nil // a hint that is no address says nothing of a person
	if a.fresh || a.choose || isHinted || a.isParticular() {
		s, err := p.store.Session(r.Context(), session, browser)
		if err != nil {
			return err
		}
		switch other := isHinted && hinted != s.User.Email; {
		case (a.choose || other) && !a.fresh && !a.silent:
			p.pages.Choose(w, r, a.AuthRequest, client, s)
			return nil
		case other: // an app that says "Bob" must not be given Ada
			return unfit()
		case a.fresh || !p.fits(a.AuthRequest, s):
			if a.LoginHint == "" && (a.Subject == "" || a.Subject == s.User.ID) && a.Screen == store.ScreenSignIn {
				a.LoginHint = string(s.User.Email) // the same person once more, most likely
			}
			return unfit()
		}
	}
	location, err := p.codeForSession(r.Context(), a.AuthRequest, session, browser)
	if err == nil {
		seeOther(w, location)
	}
	return err
}

func unfit() error {
	return &store.Error{Code: store.NotFound, Op: "find a session that will do"}
}

// fits tells whether a session is of the right person, and new enough by the clock of a
// client, which sees whole seconds of auth_time.
func (p *Provider) fits(req store.AuthRequest, s store.Session) bool {
	proved := s.AuthTime.Truncate(time.Second)
	return (req.Subject == "" || req.Subject == s.User.ID) && !proved.Before(req.AuthAfter) &&
		(req.MaxAge == nil || p.store.Now().Sub(proved) <= time.Duration(*req.MaxAge)*time.Second)
}

// Continue answers a request from the session of this browser, as its person has
// chosen. The error is [store.NotFound] if the session is gone, too old, or not of the
// person that the request is for.
func (p *Provider) Continue(r *http.Request, req store.AuthRequest, session, browser store.Hash) (location string, err error) {
	if req.IsOwn() {
		return req.RedirectURI, nil
	}
	s, err := p.store.Session(r.Context(), session, browser)
	if err != nil {
		return "", err
	}
	if !p.fits(req, s) {
		return "", unfit()
	}
	return p.codeForSession(r.Context(), req, session, browser)
}

// codeForSession issues a code. The error is [store.NotFound] if the session is gone.
func (p *Provider) codeForSession(ctx context.Context, req store.AuthRequest, session, browser store.Hash) (location string, err error) {
	code := newSecret()
	_, err = p.store.CompleteSession(ctx, session, browser, store.Completion{
		Session: store.NewSession{Hash: session, Idle: p.config.SessionIdle},
		Code:    p.newCode(req, code),
	})
	if err != nil {
		return "", err
	}
	return p.answer(targetOf(req), "code", encode(code[:])), nil
}
