package op

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"idp/store"
)

// Bounds of what an authorization request carries through the sign-in. State is
// the client's and comes back byte by byte; more than 4 kB of it would not fit
// through common proxies on the way back.
const (
	maxState     = 4 << 10
	maxNonce     = 4 << 10
	maxLoginHint = 320 // an address has at most 64 + 1 + 255 characters
	maxLocales   = 10
	maxShown     = 2 << 10 // of what was sent, on an error page
)

// Values of prompt (OpenID Connect Core section 3.1.2.1, Prompt Create 1.0).
const (
	promptNone    = "none"
	promptLogin   = "login"
	promptConsent = "consent" // without effect: every client is first-party
	promptSelect  = "select_account"
	promptCreate  = "create"
)

// The scopes that mean something here; others are ignored.
const (
	scopeOpenID     = "openid"
	scopeOffline    = "offline_access"
	scopeProfile    = "profile"
	scopeEmail      = "email"
	scopeAddress    = "address"
	scopeCustomData = "custom_data"
	scopeIdentities = "identities"
	scopeRoles      = "roles"
)

var scopesSupported = []string{scopeOpenID, scopeOffline, scopeProfile, scopeEmail, scopeAddress, scopeCustomData, scopeIdentities, scopeRoles}

// authorization is a validated request and what only its first handling needs.
type authorization struct {
	store.AuthRequest
	silent bool // prompt=none: never a page
	fresh  bool // a live session is not enough
	choose bool // the person says whether to go on with it
}

// isParticular tells whether not just any live session will do.
func (a *authorization) isParticular() bool { return a.Subject != "" || a.MaxAge != nil }

// deny is what the client is told by redirect.
func (a *authorization) deny(code, description string) error {
	return &denial{targetOf(a.AuthRequest), a.Client, code, description}
}

// refusal is an error that only a page can tell: where to redirect is not known
// to be good.
type refusal struct{ problem store.Problem }

func (r *refusal) Error() string { return "authorization request refused: " + r.problem.Kind }

func refuse(kind, description string) error {
	return &refusal{store.Problem{Kind: kind, Description: description}}
}

// denial is an error that the client is told by redirect (RFC 6749 section 4.1.2.1).
type denial struct {
	to                target
	client            string
	code, description string
}

func (d *denial) Error() string { return "authorization request denied: " + d.code }

// validate checks everything that the client is told about by redirect.
func validate(form url.Values, client store.Client, now time.Time) (authorization, error) {
	to := target{uri: form.Get("redirect_uri"), state: form.Get("state"), hasState: form.Has("state")}
	if len(form["state"]) > 1 || len(to.state) > maxState {
		to.state, to.hasState = "", false
	}
	deny := func(code, description string) (authorization, error) {
		return authorization{}, &denial{to, client.ID, code, description}
	}
	a := authorization{AuthRequest: store.AuthRequest{
		ID: store.NewID(now), Client: client.ID, RedirectURI: to.uri, State: to.state, HasState: to.hasState, StartedAt: now,
		Nonce: form.Get("nonce"), CodeChallenge: form.Get("code_challenge"),
		Scopes: scopes(form.Get("scope")), Screen: screen(form),
		LoginHint: loginHint(form.Get("login_hint")), OneTimeToken: oneTimeToken(form.Get("one_time_token")), UILocales: locales(form.Get("ui_locales")),
	}}
	if name := duplicate(form); name != "" {
		return deny(string(oidc.InvalidRequest), "a parameter is there twice: "+name)
	}
	for _, check := range []func(url.Values, store.Client, *authorization) (code, description string){
		checkSizes, checkObjects, checkResponse, checkPKCE, checkPrompt, checkMaxAge,
	} {
		if code, description := check(form, client, &a); code != "" {
			return deny(code, description)
		}
	}
	return a, nil
}

func checkSizes(form url.Values, _ store.Client, a *authorization) (code, description string) {
	switch {
	case len(form.Get("state")) > maxState:
		return string(oidc.InvalidRequest), "state is longer than 4096 bytes"
	case len(a.Nonce) > maxNonce:
		return string(oidc.InvalidRequest), "nonce is longer than 4096 bytes"
	case !isText(a.Nonce): // it is stored, and databases take no NUL and no broken UTF-8
		return string(oidc.InvalidRequest), "nonce holds characters that are not text"
	}
	return "", ""
}

// checkObjects refuses request objects (OpenID Connect Core section 6).
func checkObjects(form url.Values, _ store.Client, _ *authorization) (code, description string) {
	switch {
	case form.Get("request") != "":
		return string(oidc.RequestNotSupported), "request objects are not supported"
	case form.Get("request_uri") != "":
		return "request_uri_not_supported", "request_uri is not supported"
	case form.Get("registration") != "":
		return "registration_not_supported", "registration is not supported"
	}
	return "", ""
}

func checkResponse(form url.Values, client store.Client, _ *authorization) (code, description string) {
	switch form.Get("response_type") {
	case string(oidc.ResponseTypeCode):
	case "":
		return string(oidc.InvalidRequest), "response_type is missing"
	default:
		return "unsupported_response_type", "response_type must be code"
	}
	if mode := form.Get("response_mode"); mode != "" && mode != string(oidc.ResponseModeQuery) {
		return string(oidc.InvalidRequest), "response_mode must be query"
	}
	if client.Type == store.Machine {
		return string(oidc.UnauthorizedClient), "machine-to-machine clients have no authorization requests"
	}
	return "", ""
}

// checkPKCE: RFC 7636. Without a method the challenge would be a plain one.
func checkPKCE(form url.Values, client store.Client, a *authorization) (code, description string) {
	method := form.Get("code_challenge_method")
	switch {
	case a.CodeChallenge == "" && method != "":
		return string(oidc.InvalidRequest), "code_challenge is missing"
	case a.CodeChallenge == "" && (client.PKCE || !client.Type.Confidential()):
		return string(oidc.InvalidRequest), "PKCE is required: code_challenge is missing"
	case a.CodeChallenge == "":
	case method != string(oidc.CodeChallengeMethodS256):
		return string(oidc.InvalidRequest), "code_challenge_method must be S256"
	case len(a.CodeChallenge) != 43 || !isBase64URL(a.CodeChallenge):
		return string(oidc.InvalidRequest), "code_challenge must be 43 characters of base64url"
	}
	return "", ""
}

func checkPrompt(form url.Values, _ store.Client, a *authorization) (code, description string) {
	prompts := strings.Fields(form.Get("prompt"))
	for _, prompt := range prompts {
		switch prompt {
		case promptNone:
			a.silent = true
		case promptConsent:
		case promptLogin:
			a.fresh, a.AuthAfter = true, a.StartedAt
		case promptSelect:
			a.choose = true
		case promptCreate:
			a.fresh, a.AuthAfter, a.Screen = true, a.StartedAt, store.ScreenRegister
		default:
			return string(oidc.InvalidRequest), "prompt holds an unknown value"
		}
	}
	if a.silent && len(prompts) > 1 {
		return string(oidc.InvalidRequest), "prompt=none stands alone"
	}
	return "", ""
}

func checkMaxAge(form url.Values, _ store.Client, a *authorization) (code, description string) {
	text := form.Get("max_age")
	if text == "" {
		return "", ""
	}
	seconds, err := strconv.ParseUint(text, 10, 31) // 68 years
	if err != nil {
		return string(oidc.InvalidRequest), "max_age must be a number of seconds"
	}
	age := int64(seconds)
	a.MaxAge = &age
	return "", ""
}

// scopes keeps the known ones, each once. An absent scope means openid, the least
// that makes this a sign-in (RFC 6749 section 3.3 leaves the default to us); who
// wants name or address asks for them.
func scopes(text string) []string {
	asked := strings.Fields(text)
	if len(asked) == 0 {
		return []string{scopeOpenID}
	}
	granted := []string{}
	for _, s := range asked {
		if slices.Contains(scopesSupported, s) && !slices.Contains(granted, s) {
			granted = append(granted, s)
		}
	}
	return granted
}

// screen maps Logto's parameters; first_screen wins over interaction_mode, and
// what neither knows is dropped.
func screen(form url.Values) store.Screen {
	switch form.Get("first_screen") {
	case "sign_in", "identifier:sign_in", "single_sign_on", "signIn":
		return store.ScreenSignIn
	case "register", "identifier:register":
		return store.ScreenRegister
	case "reset_password":
		return store.ScreenRecover
	}
	if form.Get("interaction_mode") == "signUp" {
		return store.ScreenRegister
	}
	return store.ScreenSignIn
}

func loginHint(text string) string {
	if len(text) > maxLoginHint || !isText(text) {
		return ""
	}
	return text
}

// oneTimeToken drops what cannot be one.
func oneTimeToken(text string) string {
	if _, ok := store.HashOneTimeToken(text); !ok {
		return ""
	}
	return text
}

// locales keeps what has the shape of a language tag (RFC 5646).
func locales(text string) []string {
	var tags []string
	for tag := range strings.FieldsSeq(text) {
		if len(tags) == maxLocales {
			break
		}
		if len(tag) <= 35 && isBase64URL(tag) && !strings.Contains(tag, "_") {
			tags = append(tags, tag)
		}
	}
	return tags
}

// isText tells whether s is UTF-8 without control characters.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// isBase64URL tells whether s has only characters of the base64url alphabet.
func isBase64URL(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
