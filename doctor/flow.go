package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/store"
)

// CheckFlow runs the flow of the app up to where a person would type, and from there on
// with a code that nobody has. Wrong requests have to be refused as much as right ones taken.
func (a App) CheckFlow(ctx context.Context, tell Tell, found Metadata) {
	if a.Client.Type == store.Machine {
		tell.OK("sign-in", "not tried: no person signs in to a machine-to-machine app")
	} else if len(a.Client.RedirectURIs) > 0 {
		a.checkAuthorize(ctx, tell, found)
		a.checkWrongRedirect(ctx, tell, found)
		a.checkWithoutPKCE(ctx, tell, found)
	}
	a.checkToken(ctx, tell, found)
	a.checkSigningKey(ctx, tell, found)
	if a.Client.Type == store.SPA {
		a.checkOrigins(ctx, tell, found)
	}
	a.checkCookie(tell)
}

// request is what a good client sends.
func (a App) request() url.Values {
	challenge := sha256.Sum256([]byte(rand.Text()))
	return url.Values{
		"client_id": {a.Client.ID}, "redirect_uri": {a.Client.RedirectURIs[0]}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"doctor"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
}

// outcome is how the server answers an authorization request.
type outcome struct {
	page     bool   // asks for the address
	code     string // an error that the client is told
	text     string // its description
	location string
	status   int
}

func (a App) ask(ctx context.Context, where string) (outcome, error) {
	answer, err := get(ctx, a.HTTP, where)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{status: answer.status, location: answer.header.Get("Location")}
	o.page = answer.status == http.StatusOK && bytes.Contains(answer.body, []byte(`name="email"`))
	if u, err := url.Parse(o.location); err == nil && o.location != "" {
		o.code, o.text = u.Query().Get("error"), u.Query().Get("error_description")
	}
	return o, nil
}

func (a App) checkAuthorize(ctx context.Context, tell Tell, found Metadata) {
	const check = "sign-in"
	o, err := a.ask(ctx, found.Authorization+"?"+a.request().Encode())
	switch {
	case err != nil:
		tell.Fail(check, fixOf(err), "the authorization endpoint does not answer: %v", reason(err))
	case o.page:
		tell.OK(check, "a request for %s gets the page that asks for the address", a.Client.RedirectURIs[0])
	case o.code != "":
		tell.Fail(check, "", "the server refuses the app's request: %s, %s", o.code, o.text)
	default:
		tell.Fail(check, "The server may need 5 s to learn of a new app; if it goes on, it works on another database.", "the server answers %d in the place of the sign-in page", o.status)
	}
}

func (a App) checkWrongRedirect(ctx context.Context, tell Tell, found Metadata) {
	const check = "wrong redirect URI"
	form := a.request()
	form.Set("redirect_uri", a.Client.RedirectURIs[0]+"/not-registered")
	o, err := a.ask(ctx, found.Authorization+"?"+form.Encode())
	switch {
	case err != nil:
		tell.Fail(check, fixOf(err), "the authorization endpoint does not answer: %v", reason(err))
	case o.location != "" || o.page:
		tell.Fail(check, "Something between here and the server changes requests.", "a redirect URI that is not registered is taken")
	default:
		tell.OK(check, "refused, without a redirect")
	}
}

func (a App) checkWithoutPKCE(ctx context.Context, tell Tell, found Metadata) {
	const check = "without PKCE"
	form := a.request()
	form.Del("code_challenge")
	form.Del("code_challenge_method")
	o, err := a.ask(ctx, found.Authorization+"?"+form.Encode())
	required := a.Client.PKCE || !a.Client.Type.Confidential()
	switch {
	case err != nil:
		tell.Fail(check, fixOf(err), "the authorization endpoint does not answer: %v", reason(err))
	case required && o.code == "":
		tell.Fail(check, "Update the server.", "a request without PKCE is taken, though it is required")
	case required:
		tell.OK(check, "refused")
	case o.page:
		tell.OK(check, "taken, as this app is registered")
	default:
		tell.Fail(check, "", "refused, though this app is registered without PKCE: %s", o.code)
	}
}

// checkToken spends a code that nobody has: the answer tells whether the server knows
// the app by what it proves itself with.
func (a App) checkToken(ctx context.Context, tell Tell, found Metadata) {
	const check = "token endpoint"
	if a.Client.Type.Confidential() && a.Secret == "" {
		tell.OK(check, "not tried: give the app's secret with --client-secret-file to see that it is taken")
		return
	}
	methods := []string{"none"}
	if a.Client.Type.Confidential() {
		methods = []string{"client_secret_basic", "client_secret_post"}
	}
	redirect := ""
	if len(a.Client.RedirectURIs) > 0 {
		redirect = a.Client.RedirectURIs[0]
	}
	for _, method := range methods {
		form := url.Values{
			"grant_type": {"authorization_code"}, "client_id": {a.Client.ID}, "redirect_uri": {redirect},
			"code": {base64.RawURLEncoding.EncodeToString(make([]byte, 32))}, "code_verifier": {rand.Text() + rand.Text()},
		}
		if method == "client_secret_post" {
			form.Set("client_secret", a.Secret)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, found.Token, strings.NewReader(form.Encode()))
		if err != nil {
			tell.Fail(check, "", "%v", err)
			return
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if method == "client_secret_basic" {
			req.SetBasicAuth(a.Client.ID, a.Secret)
		}
		answer, err := do(a.HTTP, req)
		var e struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(answer.body, &e)
		switch {
		case err != nil:
			tell.Fail(check, fixOf(err), "does not answer: %v", reason(err))
		case e.Error == "invalid_grant":
			tell.OK(check, "knows the app by %s, and refuses a code that nobody has", method)
		case e.Error == "invalid_client":
			tell.Fail(check, "Compare the secret in the app; make a new one: idp client rotate-secret "+a.Client.ID, "does not know the app by %s: %s", method, e.Description)
		default:
			tell.Fail(check, "Does the proxy pass the body and the Authorization header on?", "answers %d %s to %s", answer.status, e.Error, method)
		}
	}
}

func (a App) checkSigningKey(ctx context.Context, tell Tell, found Metadata) {
	const check = "signing key"
	set, err := keys(ctx, a.HTTP, found.JWKS)
	switch {
	case err != nil:
		tell.Fail(check, fixOf(err), "%s: %v", found.JWKS, reason(err))
	case !slices.ContainsFunc(set, func(k key) bool { return k.Alg == a.Client.IDTokenAlg }):
		// ES384 and EdDSA keys are made when the first token needs them.
		tell.Warn(check, "It is made at the first sign-in to an app that wants it.", "no key for %s is published yet", a.Client.IDTokenAlg)
	default:
		tell.OK(check, "a key for %s is published", a.Client.IDTokenAlg)
	}
}

// checkOrigins asks, as a browser would, whether the app's pages may call the token endpoint.
func (a App) checkOrigins(ctx context.Context, tell Tell, found Metadata) {
	const check = "CORS"
	var seen []string
	for _, uri := range a.Client.RedirectURIs {
		u, err := url.Parse(uri)
		if err != nil {
			continue
		}
		origin := u.Scheme + "://" + u.Host
		if slices.Contains(seen, origin) {
			continue
		}
		seen = append(seen, origin)
		req, err := http.NewRequestWithContext(ctx, http.MethodOptions, found.Token, nil)
		if err != nil {
			tell.Fail(check, "", "%v", err)
			return
		}
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", http.MethodPost)
		req.Header.Set("Access-Control-Request-Headers", "content-type")
		answer, err := do(a.HTTP, req)
		switch {
		case err != nil:
			tell.Fail(check, fixOf(err), "the token endpoint does not answer: %v", reason(err))
		case answer.header.Get("Access-Control-Allow-Origin") != origin:
			tell.Fail(check, "The server may need 5 s to learn of a new app; does the proxy pass OPTIONS on?", "pages of %s may not call the token endpoint", origin)
		default:
			tell.OK(check, "pages of %s may call the token endpoint", origin)
		}
	}
}
