package op

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"
)

// base is the path of the issuer below the endpoint.
const base = "/oidc"

// Logto's paths below base.
const (
	pathAuth       = "/auth"
	pathToken      = "/token"
	pathRevoke     = "/token/revocation"
	pathIntrospect = "/token/introspection"
	pathUserinfo   = "/me"
	pathEndSession = "/session/end"
	pathKeys       = "/jwks"
	pathDiscovery  = "/.well-known/openid-configuration"
)

// Sizes of requests. A long authorization request has 2 kB of state and as much
// again of everything else; proxies commonly stop at 8 kB or 16 kB of headers.
const (
	maxBody  = 64 << 10
	maxQuery = 16 << 10
)

// Handler serves everything under /oidc/. Paths are matched as exact bytes:
// nothing is cleaned, and no slash is added or dropped.
func (p *Provider) Handler() http.Handler {
	library := http.StripPrefix(base, zitadel.RegisterServer(&told{server: &server{Provider: p}}, zitadel.Endpoints{
		Token:         zitadel.NewEndpoint(pathToken),
		Revocation:    zitadel.NewEndpoint(pathRevoke),
		Introspection: zitadel.NewEndpoint(pathIntrospect),
		Userinfo:      zitadel.NewEndpoint(pathUserinfo),
	}, zitadel.WithServerCORSOptions(nil)))
	routes := map[string]http.HandlerFunc{
		base + pathAuth:       p.authorize,
		base + pathToken:      p.called(library, tokenCall, http.MethodPost),
		base + pathRevoke:     p.called(library, checkCredentials, http.MethodPost),
		base + pathIntrospect: private(p.called(library, checkCredentials, http.MethodPost)),
		base + pathUserinfo:   p.called(library, userinfoCall, http.MethodGet, http.MethodPost),
		base + pathEndSession: p.endSession,
		base + pathKeys:       p.serveKeys,
		base + pathDiscovery:  p.serveDiscovery,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		route, ok := routes[r.URL.Path]
		if !ok || r.URL.RawPath != "" { // a path spelled with escapes is another path
			writeError(w, oidc.ErrInvalidRequest().WithDescription("there is no such address here"), http.StatusNotFound)
			return
		}
		route(w, r)
	})
}

// called is an endpoint that programs call: it checks the outside of the request
// and lets the library's router have it.
func (p *Provider) called(library http.Handler, check func(*http.Request) *oidc.Error, methods ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache") // RFC 6749 section 5.1 asks for both
		h.Add("Vary", "Origin")
		if r.Method == http.MethodOptions {
			p.preflight(w, r, methods)
			return
		}
		call := &call{ResponseWriter: w, provider: p, request: r}
		defer call.finish()
		if !allowed(call, r, methods) {
			return
		}
		if err := bodyForm(call, r); err != nil {
			writeError(call, err, 0)
			return
		}
		if err := check(r); err != nil {
			writeError(call, err, 0)
			return
		}
		// The library routes with chi, which would go on from the position of a chi
		// router around us.
		ctx := context.WithValue(r.Context(), chi.RouteCtxKey, (*chi.Context)(nil))
		library.ServeHTTP(call, r.WithContext(withCall(ctx, call)))
	}
}

// private is an endpoint for servers only: without an origin nothing is shared with
// the page of a browser (see cors.go).
func private(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.Header.Del("Origin")
		next(w, r)
	}
}

// allowed answers 405 for a method that the endpoint does not have.
func allowed(w http.ResponseWriter, r *http.Request, methods []string) bool {
	for _, m := range methods {
		if r.Method == m {
			return true
		}
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	writeError(w, oidc.ErrInvalidRequest().WithDescription("this address takes %s only", strings.Join(methods, " and ")), http.StatusMethodNotAllowed)
	return false
}

// bodyForm reads the form in the body and makes it the only one the library sees:
// the library would take credentials from the query, where logs and histories
// keep them.
func bodyForm(w http.ResponseWriter, r *http.Request) *oidc.Error {
	if r.Method == http.MethodPost && r.ContentLength != 0 && !isForm(r) {
		return oidc.ErrInvalidRequest().WithDescription("the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	query := r.URL.RawQuery
	r.URL.RawQuery = "" // a broken query is no concern of an endpoint that reads none
	err := r.ParseForm()
	r.URL.RawQuery = query
	if err != nil {
		return oidc.ErrInvalidRequest().WithDescription("the body is not a form of at most %d bytes", maxBody)
	}
	r.Form = r.PostForm
	if r.Form == nil {
		r.Form, r.PostForm = url.Values{}, url.Values{}
	}
	if name := duplicate(r.Form); name != "" {
		return oidc.ErrInvalidRequest().WithDescription("a parameter is there twice: %s", name)
	}
	return nil
}

func isForm(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && t == "application/x-www-form-urlencoded"
}

// duplicate names a parameter that is there more than once (RFC 6749 section 3.1
// forbids it), or "". Resource may repeat by RFC 8707, audience by RFC 8693.
func duplicate(form url.Values) string {
	for name, values := range form {
		if len(values) > 1 && name != "resource" && name != "audience" {
			if known[name] {
				return name
			}
			return "one that is not known here"
		}
	}
	return ""
}

// known are the parameters that may be named in an error: an unknown name is the
// caller's text, and could hold anything.
var known = map[string]bool{
	"client_id": true, "client_secret": true, "redirect_uri": true, "response_type": true, "response_mode": true,
	"scope": true, "state": true, "nonce": true, "prompt": true, "max_age": true, "code_challenge": true,
	"code_challenge_method": true, "code": true, "code_verifier": true, "grant_type": true, "access_token": true,
	"login_hint": true, "ui_locales": true, "request": true, "request_uri": true, "first_screen": true, "interaction_mode": true,
	"id_token_hint": true, "post_logout_redirect_uri": true, "logout_hint": true, "refresh_token": true, "token": true, "token_type_hint": true,
	"client_assertion": true, "client_assertion_type": true, "organization_id": true,
}
