package doctor

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"idp/store"
)

// CheckRedirect compares a redirect URI that the app sends with those registered.
func (a App) CheckRedirect(tell Tell, sent string) {
	const check = "redirect URI sent"
	if slices.Contains(a.Client.RedirectURIs, sent) {
		tell.OK(check, "%s is registered", sent)
		return
	}
	if a.Client.Type == store.Native && slices.ContainsFunc(a.Client.RedirectURIs, func(known string) bool { return samePortAside(sent, known) }) {
		tell.OK(check, "%s is registered, on another port of this machine", sent)
		return
	}
	fix := "Register what the app sends, or have it send what is registered: idp client update " + a.Client.ID + " --redirect-uri URI (all of them, each with the flag)"
	if len(a.Client.RedirectURIs) == 0 {
		tell.Fail(check, fix, "%s is not registered, nothing is", sent)
		return
	}
	tell.Fail(check, fix, "%s", Differs(sent, a.Client.RedirectURIs))
}

// samePortAside: RFC 8252 section 7.3.
func samePortAside(a, b string) bool {
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	if err != nil || err2 != nil || u.Scheme != "http" || v.Scheme != "http" || !store.IsLoopback(u.Hostname()) || u.Hostname() != v.Hostname() {
		return false
	}
	u.Host, v.Host = "", ""
	return u.String() == v.String()
}

// Differs names the first character in which a text differs from the one most like it.
func Differs(sent string, registered []string) string {
	nearest := slices.MaxFunc(registered, func(a, b string) int { return alike(sent, a) - alike(sent, b) })
	same := common(sent, nearest)
	at := len([]rune(sent[:same])) + 1
	switch {
	case same == len(sent):
		return fmt.Sprintf("%s ends where the registered %s goes on with %q", sent, nearest, nearest[same:])
	case same == len(nearest):
		return fmt.Sprintf("%s goes on with %q where the registered %s ends", sent, sent[same:], nearest)
	}
	return fmt.Sprintf("%s differs from the registered %s at character %d: %q in the place of %q", sent, nearest, at, first(sent[same:]), first(nearest[same:]))
}

// common is the length of the longest common beginning, in whole characters.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && a[n]&0xC0 == 0x80 {
		n--
	}
	return n
}

// alike counts what two texts begin and end with in common: a missing s in https is a
// small difference, though an early one.
func alike(a, b string) int {
	from := common(a, b)
	until := 0
	for until < min(len(a), len(b))-from && a[len(a)-1-until] == b[len(b)-1-until] {
		until++
	}
	return 2*(from+until) - len(b)
}

func first(s string) string { return string([]rune(s)[:1]) }

// CheckURL reads an authorization request as the app sent it, pasted from a browser, and
// asks the server what it makes of it.
func (a App) CheckURL(ctx context.Context, tell Tell, text string, found Metadata) {
	const check = "request sent"
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" {
		tell.Fail(check, "Copy it whole from the browser's address bar or the log of the app.", "the URL given is none")
		return
	}
	form, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		tell.Fail(check, "Encode each parameter.", "its query cannot be read: %v", err)
		return
	}
	if where := u.Scheme + "://" + u.Host + u.Path; where != found.Authorization {
		tell.Fail(check, "Set the app's endpoint to "+a.Endpoint.String()+" (Logto SDKs) or its issuer to "+found.Issuer, "%s", Differs(where, []string{found.Authorization}))
	}
	if id := form.Get("client_id"); id != a.Client.ID {
		tell.Fail("client id sent", "Set the app's client id to "+a.Client.ID, "the app calls itself %q, not %s", id, a.Client.ID)
	}
	a.CheckRedirect(tell, form.Get("redirect_uri"))
	a.checkParameters(tell, form, found)
	if alg := form.Get("id_token_signed_response_alg"); alg != "" && alg != a.Client.IDTokenAlg {
		tell.Fail("ID token", "Register the app with --id-token-alg "+alg, "the app asks for %s, and tokens are signed with %s", alg, a.Client.IDTokenAlg)
	}
	o, err := a.ask(ctx, found.Authorization+"?"+u.RawQuery)
	switch {
	case err != nil:
		tell.Fail("answer to it", fixOf(err), "%v", reason(err))
	case o.page:
		tell.OK("answer to it", "the page that asks for the address")
	case o.code == "login_required":
		tell.OK("answer to it", "login_required, as it should be for prompt=none without a session")
	case o.code != "":
		tell.Fail("answer to it", "", "%s: %s", o.code, o.text)
	default:
		tell.Fail("answer to it", "The page in the browser says why.", "status %d, and no redirect back to the app", o.status)
	}
}

func (a App) checkParameters(tell Tell, form url.Values, found Metadata) {
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt"} {
		if len(form[name]) > 1 {
			tell.Fail(name+" sent", "Send it once.", "it is there %d times", len(form[name]))
		}
	}
	if got := form.Get("response_type"); got != "code" {
		tell.Fail("response type sent", "Use the authorization code flow: response_type=code", "%q: only code is there", got)
	}
	if mode := form.Get("response_mode"); mode != "" && mode != "query" {
		tell.Fail("response mode sent", "Leave it out, or send query.", "%q: only query is there", mode)
	}
	a.checkScopes(tell, strings.Fields(form.Get("scope")), found)
	challenge, method := form.Get("code_challenge"), form.Get("code_challenge_method")
	required := a.Client.PKCE || !a.Client.Type.Confidential()
	const check = "PKCE sent"
	switch {
	case challenge == "" && required:
		tell.Fail(check, "Switch PKCE on in the app's library; if it has none, register the app with --no-pkce (server-side apps only).", "code_challenge is missing")
	case challenge == "":
		tell.OK(check, "none, and this app needs none")
	case method != "S256":
		tell.Fail(check, "Set the app's library to S256.", "code_challenge_method is %q", method)
	case len(challenge) != 43:
		tell.Fail(check, "It is the SHA-256 of the verifier in base64url, without =.", "code_challenge has %d characters, not 43", len(challenge))
	default:
		tell.OK(check, "S256")
	}
	if form.Get("state") == "" {
		tell.Warn("state sent", "Have the app's library send one.", "none: without it, and without PKCE, somebody else's answer is taken for the app's own")
	}
}

func (a App) checkScopes(tell Tell, sent []string, found Metadata) {
	const check = "scope sent"
	var unknown []string
	for _, s := range sent {
		if !slices.Contains(found.Scopes, s) {
			unknown = append(unknown, s)
		}
	}
	switch {
	case len(sent) > 0 && !slices.Contains(sent, "openid"):
		tell.Fail(check, "Add openid.", "without openid there is no ID token")
	case len(unknown) > 0:
		tell.Warn(check, "Known are: "+strings.Join(found.Scopes, " "), "%s: not known here, and left out", strings.Join(unknown, " "))
	case !slices.Contains(sent, "email"):
		tell.OK(check, "%s; without email the app does not learn the address", strings.Join(sent, " "))
	default:
		tell.OK(check, "%s", strings.Join(sent, " "))
	}
}
