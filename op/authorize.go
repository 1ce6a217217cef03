package op

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

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
	var page *refusal
	var back *denial
	switch {
	case err == nil:
	case errors.As(err, &page):
		p.log.InfoContext(r.Context(), "authorization request refused", "kind", page.problem.Kind)
		p.pages.Refuse(w, r, page.problem)
	case errors.As(err, &back):
		p.log.InfoContext(r.Context(), "authorization request denied", "client", back.client, "error_code", back.code, "reason", back.description)
		seeOther(w, p.answer(back.to, "error", back.code, "error_description", back.description))
	case answerable(err).ErrorType == temporarilyUnavailable:
		p.log.WarnContext(r.Context(), "authorization request", "error", err)
		w.Header().Set("Retry-After", retryAfter)
		p.pages.Refuse(w, r, store.Problem{Kind: "unavailable"})
	default:
		p.log.ErrorContext(r.Context(), "authorization request", "error", err)
		p.pages.Refuse(w, r, store.Problem{Kind: "failure"})
	}
}

func (p *Provider) takeRequest(w http.ResponseWriter, r *http.Request) error {
	switch {
	case r.Method == http.MethodPost:
		return postToGet(w, r)
	case r.Method == http.MethodHead:
		return nil // link checkers and mail scanners: nothing is done, nothing is told
	case !allowed(w, r, []string{http.MethodGet, http.MethodHead, http.MethodPost}):
		return nil
	case isPrefetch(r):
		// A browser throws away a prefetched answer that is not 2xx, and asks again
		// when the person really comes (RFC 8470 names the status).
		w.WriteHeader(http.StatusTooEarly)
		return nil
	case len(r.URL.RawQuery) > maxQuery:
		return refuse("too_large", "the query is longer than 16384 bytes")
	}
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse("bad_request", "the query is not well-formed")
	}
	client, err := p.knownClient(r, form)
	if err != nil {
		return err
	}
	a, err := validate(form, client, p.store.Now())
	if err != nil {
		return err
	}
	if answered, err := p.resume(w, r, a); answered || err != nil {
		return err
	}
	if a.silent {
		return &denial{targetOf(a.AuthRequest), client.ID, string(oidc.LoginRequired), "nobody is signed in here"}
	}
	p.pages.Begin(w, r, a.AuthRequest, client)
	return nil
}

// postToGet brings the parameters of a POST (OpenID Connect Core section 3.1.2.1)
// to our own GET: a form on another site's page arrives without Lax cookies.
func postToGet(w http.ResponseWriter, r *http.Request) error {
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
	seeOther(w, base+pathAuth+"?"+query)
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
	case !registered(client, uri):
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

// resume answers from a live session of this browser, if there is one that will do.
func (p *Provider) resume(w http.ResponseWriter, r *http.Request, a authorization) (answered bool, err error) {
	session, signedIn := p.browser.Session(r)
	browser, known := p.browser.Hash(r)
	if !signedIn || !known || a.fresh {
		return false, nil
	}
	location, err := p.codeForSession(r, a, session, browser)
	switch {
	case err == nil:
		seeOther(w, location)
		return true, nil
	case store.CodeOf(err) == store.NotFound:
		return false, nil
	case a.silent:
		to := targetOf(a.AuthRequest)
		if e := answerable(err); e.ErrorType == temporarilyUnavailable {
			return false, &denial{to, a.Client, temporarilyUnavailable, e.Description}
		}
		p.log.ErrorContext(r.Context(), "answer from a session", "error", err)
		return false, &denial{to, a.Client, string(oidc.ServerError), "something went wrong on the server"}
	}
	return false, err
}

// codeForSession issues a code; the error is [store.NotFound] if the session is
// gone, too old for max_age, or not of the person whom the app hints at: an app
// that says "Bob" must not be given Ada.
func (p *Provider) codeForSession(r *http.Request, a authorization, session, browser store.Hash) (location string, err error) {
	hint, err := address.Parse(a.LoginHint)
	hinted := err == nil // a hint that is no address says nothing of a person
	if a.maxAge >= 0 || hinted {
		s, err := p.store.Session(r.Context(), session, browser)
		if err != nil {
			return "", err
		}
		switch {
		case a.maxAge >= 0 && p.store.Now().Sub(s.AuthTime) > a.maxAge:
			return "", &store.Error{Code: store.NotFound, Op: "find a session that is new enough"}
		case hinted && s.User.Email != hint:
			return "", &store.Error{Code: store.NotFound, Op: "find a session of this person"}
		}
	}
	code := newSecret()
	_, err = p.store.CompleteSession(r.Context(), session, browser, store.Completion{
		Session: store.NewSession{Hash: session, Idle: p.config.SessionIdle},
		Code:    p.newCode(a.AuthRequest, code),
	})
	if err != nil {
		return "", err
	}
	return p.answer(targetOf(a.AuthRequest), "code", encode(code[:])), nil
}
