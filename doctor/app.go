package doctor

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/store"
)

// App is a registered client, and what is known of the app itself.
type App struct {
	Client   store.Client
	Endpoint *url.URL
	Secret   string // the one that the app has; "" if it was not given
	Alg      string // what the app takes ID tokens signed with; "" if it was not said
	HTTP     *http.Client
}

// CheckRegistration looks at what the client is registered with.
func (a App) CheckRegistration(tell Tell) {
	a.checkRedirects(tell)
	a.checkAlg(tell)
	a.checkPKCE(tell)
	a.checkSecret(tell)
}

func (a App) checkRedirects(tell Tell) {
	const check = "redirect URIs"
	c := a.Client
	change := "idp client update " + c.ID + " --redirect-uri URI (all of them, each with the flag)"
	if c.Type == store.Machine {
		tell.OK(check, "none needed: no person signs in to a machine-to-machine app")
		return
	}
	if len(c.RedirectURIs) == 0 {
		tell.Fail(check, change, "none: nobody can come back to the app")
		return
	}
	good := true
	for _, u := range c.RedirectURIs {
		if err := c.Type.CheckRedirectURI(u); err != nil {
			good = false
			tell.Fail(check, change, "%v", err)
		}
		if !strings.HasSuffix(u, "/") && slices.Contains(c.RedirectURIs, u+"/") {
			good = false
			tell.Warn(check, change, "%s is there with and without a slash at its end; they are two, and the app sends one of them", u)
		}
	}
	for _, u := range c.PostLogoutRedirectURIs {
		if err := c.Type.CheckPostLogoutURI(u); err != nil {
			good = false
			tell.Fail("post-logout URIs", "idp client update "+c.ID+" --post-logout-redirect-uri URI", "%v", err)
		}
	}
	if good {
		tell.OK(check, "%s", strings.Join(c.RedirectURIs, " "))
	}
	if len(c.PostLogoutRedirectURIs) == 0 {
		tell.OK("post-logout URIs", "none: after signing out people stay on our page that says so")
	} else if good {
		tell.OK("post-logout URIs", "%s", strings.Join(c.PostLogoutRedirectURIs, " "))
	}
}

// refusedBy are algorithms that common libraries do not take, with who does not.
var refusedBy = map[string]string{
	"EdDSA": "Logto's Python SDK, mod_auth_openidc before 2.4.12 and other older libraries",
}

func (a App) checkAlg(tell Tell) {
	const check = "ID token"
	alg := a.Client.IDTokenAlg
	switch {
	case a.Alg != "" && a.Alg != alg:
		tell.Fail(check, "Set the app to "+alg+", or register it anew: idp client create --id-token-alg "+a.Alg+" …",
			"tokens are signed with %s, and the app takes %s", alg, a.Alg)
	case refusedBy[alg] != "" && a.Alg == "":
		tell.Warn(check, "If the app is one of these, register it anew: idp client create --id-token-alg ES256 …", "signed with %s, which is not taken by %s", alg, refusedBy[alg])
	default:
		tell.OK(check, "signed with %s", alg)
	}
}

func (a App) checkPKCE(tell Tell) {
	switch {
	case a.Client.Type == store.Machine:
	case a.Client.PKCE || !a.Client.Type.Confidential():
		tell.OK("PKCE", "required, with S256")
	default:
		tell.Warn("PKCE", "If the app can send it, register it anew without --no-pkce.", "not required: a code that leaks can be spent by whoever has the secret")
	}
}

func (a App) checkSecret(tell Tell) {
	const check = "secret"
	c := a.Client
	var starts []string
	for _, s := range c.Secrets {
		starts = append(starts, s.Prefix+"…")
	}
	registered := strings.Join(starts, " and ")
	rotate := "Make one and give it to the app: idp client rotate-secret " + c.ID
	switch {
	case !c.Type.Confidential() && a.Secret != "":
		tell.Fail(check, "Take it out of the app, or register the app as --type traditional if it runs on a server.", "a %s app has no secret, and the server refuses the one it sends", c.Type)
	case !c.Type.Confidential():
		tell.OK(check, "none, as it should be for a %s app", c.Type)
	case len(c.Secrets) == 0 && c.JWKS == "":
		tell.Fail(check, rotate, "the app has neither a secret nor keys to prove who it is")
	case len(c.Secrets) == 0:
		tell.OK(check, "none: it proves itself with its keys (private_key_jwt)")
	case a.Secret != "" && !hasSecret(c, a.Secret):
		tell.Fail(check, rotate, "the secret given %s, and is none of those registered, which start with %s", a.looksLike(), registered)
	case a.Secret != "":
		tell.OK(check, "the one given is registered (%s…)", a.Secret[:min(4, len(a.Secret))])
	default:
		tell.OK(check, "%d registered, starting with %s", len(c.Secrets), registered)
	}
}

func hasSecret(c store.Client, secret string) bool {
	hash := store.HashOf([]byte(secret))
	return slices.ContainsFunc(c.Secrets, func(s store.ClientSecret) bool { return s.Hash.Equal(hash) })
}

// looksLike tells what was given in the place of a secret, without showing it.
func (a App) looksLike() string {
	trimmed := strings.Trim(a.Secret, " \t\r\n\"'")
	switch {
	case a.Secret == a.Client.ID:
		return "is the client id"
	case trimmed != a.Secret && hasSecret(a.Client, trimmed):
		return "has spaces, a line end or quotes around it"
	}
	return fmt.Sprintf("has %d characters and starts with %q", len(a.Secret), a.Secret[:min(4, len(a.Secret))])
}
