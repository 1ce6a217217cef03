package op_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"idp/store"
)

const goodbye = "https://shop.example/bye?shop=1"

// farewell is a fixture with a client that has a post-logout URI, and somebody signed
// in to it.
func farewell(t *testing.T) (f *fixture, idToken string) {
	t.Helper()
	f = setup(t)
	f.client(store.Client{ID: "app", Type: store.Traditional, PKCE: true, PostLogoutRedirectURIs: []string{goodbye}})
	return f, f.signInToApp("ada@example.com").ID
}

func (f *fixture) signInToApp(email store.Email) tokens {
	f.Helper()
	return f.tokens(f.exchange(f.enter(email, "client_id", "app", "scope", offline), "client_id", "app"))
}

// end asks for a sign-out; pairs are parameters, "-" takes one out.
func (f *fixture) end(changes ...string) *http.Response {
	f.Helper()
	return f.get("/oidc/session/end?" + change(url.Values{}, changes).Encode())
}

func (f *fixture) isSignedIn() bool {
	f.Helper()
	return query(f.T, f.authorize("prompt", "none").Header.Get("Location")).Has("code")
}

func TestEndSessionSilently(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		params []string // HINT stands for the ID token
		want   string
	}{
		"hint":                 {[]string{"id_token_hint", "HINT", "post_logout_redirect_uri", goodbye}, goodbye},
		"hint, state":          {[]string{"id_token_hint", "HINT", "post_logout_redirect_uri", goodbye, "state", "a b&c"}, goodbye + "&state=a+b%26c"},
		"hint, empty state":    {[]string{"id_token_hint", "HINT", "post_logout_redirect_uri", goodbye, "state", ""}, goodbye + "&state="},
		"hint and client":      {[]string{"id_token_hint", "HINT", "client_id", "app", "post_logout_redirect_uri", goodbye}, goodbye},
		"Logto's way":          {[]string{"client_id", "app", "post_logout_redirect_uri", goodbye}, goodbye},
		"hint without way out": {[]string{"id_token_hint", "HINT"}, ""},
		"hint and state only":  {[]string{"id_token_hint", "HINT", "state", "s"}, ""},
		"hint, other locale":   {[]string{"id_token_hint", "HINT", "ui_locales", "ja", "logout_hint", "ada"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, hint := farewell(t)
			for i := range c.params {
				c.params[i] = strings.ReplaceAll(c.params[i], "HINT", hint)
			}
			r := f.end(c.params...)
			if r.Header.Get("Location") != c.want || len(f.asked) > 0 || f.cleared != 1 || (len(f.signedOut) == 1) != (c.want == "") {
				t.Fatalf("%d %s, asked %v, signed out %v", r.StatusCode, r.Header.Get("Location"), f.asked, f.signedOut)
			}
			if c.want != "" && r.StatusCode != http.StatusSeeOther || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%d %v", r.StatusCode, r.Header)
			}
			if got := query(t, f.authorize("client_id", "app", "prompt", "none").Header.Get("Location")).Get("error"); got != "login_required" {
				t.Errorf("afterwards: %q", got)
			}
		})
	}
}

// Everything else asks, and before the answer nothing happens and nothing is redirected.
func TestEndSessionAsks(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	session := f.session
	bob := f.signInToApp("bob@example.com").ID
	f.session = session
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true, PostLogoutRedirectURIs: []string{"https://other.example/"}})
	for name, c := range map[string]struct {
		params []string
		back   bool // whether the person can be sent back to the app after the answer
	}{
		"nothing":                     {nil, false},
		"a client":                    {[]string{"client_id", "app"}, false},
		"a state":                     {[]string{"state", "s"}, false},
		"a URI without a client":      {[]string{"post_logout_redirect_uri", goodbye}, false},
		"a client without a grant":    {[]string{"client_id", "other", "post_logout_redirect_uri", "https://other.example/"}, true},
		"another client's URI":        {[]string{"client_id", "other", "post_logout_redirect_uri", goodbye}, false},
		"an unknown client":           {[]string{"client_id", "nobody", "post_logout_redirect_uri", goodbye}, false},
		"an odd client":               {[]string{"client_id", "a\x00", "post_logout_redirect_uri", goodbye}, false},
		"another path":                {[]string{"id_token_hint", hint, "post_logout_redirect_uri", "https://shop.example/bad", "state", "s"}, false},
		"a query appended":            {[]string{"id_token_hint", hint, "post_logout_redirect_uri", goodbye + "&x=1"}, false},
		"a slash appended":            {[]string{"client_id", "app", "post_logout_redirect_uri", goodbye + "/"}, false},
		"a fragment":                  {[]string{"client_id", "app", "post_logout_redirect_uri", goodbye + "#x"}, false},
		"upper case":                  {[]string{"client_id", "app", "post_logout_redirect_uri", strings.ToUpper(goodbye)}, false},
		"a redirect URI":              {[]string{"client_id", "app", "post_logout_redirect_uri", callback}, false},
		"somebody else's hint":        {[]string{"id_token_hint", bob, "post_logout_redirect_uri", goodbye}, true},
		"a hint of another client":    {[]string{"id_token_hint", hint, "client_id", "other", "post_logout_redirect_uri", "https://other.example/"}, false},
		"garbage for a hint":          {[]string{"id_token_hint", "x", "client_id", "app", "post_logout_redirect_uri", goodbye}, false},
		"a changed hint":              {[]string{"id_token_hint", hint[:len(hint)-4] + "AAAA", "client_id", "app", "post_logout_redirect_uri", goodbye}, false},
		"a long hint":                 {[]string{"id_token_hint", strings.Repeat("a", 9000), "client_id", "app", "post_logout_redirect_uri", goodbye}, false},
		"an unsigned hint":            {[]string{"id_token_hint", unsigned(hint), "client_id", "app", "post_logout_redirect_uri", goodbye}, false},
		"a hint signed by a stranger": {[]string{"id_token_hint", signedByStranger(t, hint), "client_id", "app", "post_logout_redirect_uri", goodbye}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f.asked = nil
			r := f.end(c.params...)
			if r.Header.Get("Location") != "" || len(f.asked) != 1 || f.cleared > 0 {
				t.Fatalf("%d %v, asked %v", r.StatusCode, r.Header, f.asked)
			}
			sealed := f.provider.SealSignOut(f.asked[0], f.browser)
			out, err := f.provider.OpenSignOut(sealed, f.browser)
			f.must(err)
			mismatch := slices.Contains([]string{"another client's URI", "another path", "a query appended", "a slash appended", "a fragment", "upper case", "a redirect URI"}, name)
			if mismatch != (f.why != nil) {
				t.Errorf("what is wrong with the URI: %+v", f.why)
			}
			if back := f.provider.SignOutRedirect(out) != ""; back != c.back {
				t.Errorf("the way back is %q", f.provider.SignOutRedirect(out))
			}
			if !f.isSignedIn() {
				t.Error("signed out")
			}
		})
	}
	// A duplicate decides nothing, and a script or an image of another page is not the person.
	f.asked = nil
	f.get("/oidc/session/end?client_id=app&client_id=other&id_token_hint=" + hint)
	for _, dest := range []string{"image", "iframe", "empty"} {
		f.get("/oidc/session/end?"+url.Values{"client_id": {"app"}, "post_logout_redirect_uri": {goodbye}}.Encode(), "Sec-Fetch-Dest", dest)
	}
	if len(f.asked) != 4 || !f.isSignedIn() {
		t.Errorf("%+v", f.asked)
	}
}

func TestSealedSignOut(t *testing.T) {
	t.Parallel()
	f, _ := farewell(t)
	out := store.SignOut{Client: "app", RedirectURI: goodbye, State: "\x00\xff", HasState: true, StartedAt: f.db.Now()}
	sealed := f.provider.SealSignOut(out, f.browser)
	got, err := f.provider.OpenSignOut(sealed, f.browser)
	f.must(err)
	if to := f.provider.SignOutRedirect(got); to != goodbye+"&state=%00%FF" {
		t.Error(to)
	}
	for name, bad := range map[string]string{"empty": "", "garbage": "xx", "changed": sealed[:len(sealed)-2] + "AA", "long": strings.Repeat("A", 1<<17),
		"a request": f.provider.Seal(store.AuthRequest{StartedAt: f.db.Now(), RedirectURI: "https://evil.example"}, f.browser)} {
		if _, err := f.provider.OpenSignOut(bad, f.browser); store.CodeOf(err) != store.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.provider.OpenSignOut(sealed, random()); store.CodeOf(err) != store.Invalid {
		t.Errorf("another browser: %v", err)
	}
	f.must(f.db.DeleteClient(t.Context(), "app", time.Time{}))
	if got, err := f.provider.OpenSignOut(sealed, f.browser); err != nil || f.provider.SignOutRedirect(got) != "" {
		t.Errorf("a client that is gone: %+v %v", got, err)
	}
	f.db.AdvanceForTest(2 * time.Hour)
	if _, err := f.provider.OpenSignOut(sealed, f.browser); store.CodeOf(err) != store.Expired {
		t.Errorf("late: %v", err)
	}
}

// What a sign-out ends: the session, its codes, its grants, the app's offline ones too;
// another app's offline grant goes on.
func TestEndSessionEffects(t *testing.T) {
	t.Parallel()
	f, _ := farewell(t)
	app := f.signInToApp("ada@example.com")
	silently := func() string {
		return query(t, f.authorize("prompt", "none", "scope", offline).Header.Get("Location")).Get("code")
	}
	shop := f.tokens(f.exchange(silently()))
	pending := silently()
	f.end("id_token_hint", app.ID)
	fails(t, f.refresh(app.Refresh, "client_id", "app"), 400, "invalid_grant")
	fails(t, f.exchange(pending), 400, "invalid_grant")
	if r := f.get("/oidc/me", "Authorization", "Bearer "+app.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo of the app that signed out: %d", r.StatusCode)
	}
	f.tokens(f.refresh(shop.Refresh))
}

// Logto's SDKs revoke their refresh token before they send the browser here.
func TestEndSessionAfterRevocation(t *testing.T) {
	t.Parallel()
	f, _ := farewell(t)
	app := f.signInToApp("ada@example.com")
	f.revoke(app.Refresh, "client_id", "app")
	if r := f.end("client_id", "app", "post_logout_redirect_uri", goodbye); r.Header.Get("Location") != goodbye {
		t.Errorf("%d %v %v", r.StatusCode, r.Header, f.asked)
	}
}

// Where nobody is signed in there is nothing to ask.
func TestEndSessionOfNobody(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	f.session = random() // a cookie whose session is over
	if r := f.end("client_id", "app", "post_logout_redirect_uri", goodbye, "state", "s"); r.Header.Get("Location") != goodbye+"&state=s" || f.cleared != 1 {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := f.end("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/"); r.Header.Get("Location") != "" || len(f.signedOut) != 1 ||
		f.signedOut[0].Kind != "redirect_mismatch" {
		t.Errorf("%d %v %v", r.StatusCode, r.Header, f.signedOut)
	}
	if r := f.end("id_token_hint", "x", "client_id", "app", "post_logout_redirect_uri", goodbye); r.Header.Get("Location") != "" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}

// A day later the session is over. The app's own offline grant ends all the same, and
// nobody else's does.
func TestEndSessionOfADeadSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		params []string
		ends   bool
	}{
		"Logto's way":        {[]string{"client_id", "app", "post_logout_redirect_uri", goodbye}, true},
		"hint":               {[]string{"id_token_hint", "HINT", "post_logout_redirect_uri", goodbye}, true},
		"no way back":        {[]string{"client_id", "app"}, false},
		"another app's wish": {[]string{"client_id", "other", "post_logout_redirect_uri", goodbye}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := farewell(t)
			f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true, PostLogoutRedirectURIs: []string{goodbye}})
			tok := f.signInToApp("ada@example.com")
			f.db.AdvanceForTest(13 * time.Hour)
			for i := range c.params {
				c.params[i] = strings.ReplaceAll(c.params[i], "HINT", tok.ID)
			}
			r := f.end(c.params...)
			if len(f.asked) > 0 || f.cleared != 1 || (r.Header.Get("Location") == goodbye) != slices.Contains(c.params, goodbye) {
				t.Errorf("%d %v, asked %v", r.StatusCode, r.Header, f.asked)
			}
			if active := f.introspect(tok.Refresh, "client_id", "app")["active"] == true; active == c.ends {
				t.Errorf("the app's refresh token is active: %v", active)
			}
		})
	}
}

// An expired ID token is as good a hint: it tells who is meant.
func TestEndSessionWithAnExpiredHint(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	f.db.AdvanceForTest(3 * time.Hour)
	if r := f.end("id_token_hint", hint, "post_logout_redirect_uri", goodbye); r.Header.Get("Location") != goodbye {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}

// Signed in once more, the same app's older ID token still signs out silently, because
// its grant went along to the new session.
func TestEndSessionAfterReauthentication(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	f.begun = nil
	f.authorize("prompt", "login")
	previous := f.session
	f.session = f.signInAfter("ada@example.com", f.begun[0], previous).Completion.Session.Hash
	if r := f.end("id_token_hint", hint, "post_logout_redirect_uri", goodbye); r.Header.Get("Location") != goodbye {
		t.Errorf("%d %v %v", r.StatusCode, r.Header, f.asked)
	}
}

func TestEndSessionFromAnotherSite(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	form := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {goodbye}, "state": {"a b"}}
	r := f.do(http.MethodPost, "/oidc/session/end", form.Encode(), "Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site")
	location := r.Header.Get("Location")
	if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, "/oidc/session/end?") || f.cleared > 0 {
		t.Fatalf("%d %s", r.StatusCode, location)
	}
	if r := f.get(location); r.Header.Get("Location") != goodbye+"&state=a+b" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	for _, method := range []string{http.MethodPut, http.MethodOptions} {
		if r := f.do(method, "/oidc/session/end", "", "Origin", "https://shop.example"); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", method, r.StatusCode, r.Header)
		}
	}
	f.refused = nil
	f.get("/oidc/session/end?x=%zz")
	f.get("/oidc/session/end?state=" + strings.Repeat("x", 20_000))
	if len(f.refused) != 2 || f.refused[0].Kind != "bad_request" || f.refused[1].Kind != "too_large" {
		t.Errorf("%+v", f.refused)
	}
}

func TestEndSessionDoesNothingForNobody(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	path := "/oidc/session/end?id_token_hint=" + hint
	f.do(http.MethodHead, path, "")
	f.get(path, "Sec-Purpose", "prefetch")
	if !f.isSignedIn() || f.cleared > 0 {
		t.Error("signed out by nobody")
	}
	f.outage.down.Store(true)
	r := f.get(path)
	f.outage.down.Store(false)
	if len(f.refused) != 1 || f.refused[0].Kind != "unavailable" || r.Header.Get("Retry-After") == "" || !f.isSignedIn() {
		t.Errorf("%+v %v", f.refused, r.Header)
	}
}

// A request for one person is not answered by another, and hints that are not this
// client's, or not ours, are errors.
func TestIDTokenHint(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	mine := []string{"client_id", "app", "prompt", "none", "id_token_hint"}
	ask := func(params ...string) url.Values {
		t.Helper()
		return query(t, f.authorize(params...).Header.Get("Location"))
	}
	if got := ask(append(mine, hint)...); !got.Has("code") {
		t.Errorf("%v", got)
	}
	f.db.AdvanceForTest(2 * time.Hour)
	if got := ask(append(mine, hint)...); !got.Has("code") {
		t.Errorf("expired: %v", got)
	}
	for name, bad := range map[string]string{"garbage": "x", "unsigned": unsigned(hint), "stranger": signedByStranger(t, hint), "changed": hint[:len(hint)-4] + "AAAA"} {
		if got := ask(append(mine, bad)...); got.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := ask("prompt", "none", "id_token_hint", hint); got.Get("error") != "invalid_request" {
		t.Errorf("another client's: %v", got)
	}
	f.signInToApp("bob@example.com")
	if got := ask(append(mine, hint)...); got.Get("error") != "login_required" || got.Has("code") {
		t.Errorf("Bob for Ada: %v", got)
	}
	f.begun = nil
	f.authorize("client_id", "app", "id_token_hint", hint)
	if len(f.begun) != 1 || f.begun[0].Subject != payload(t, hint)["sub"] || f.begun[0].LoginHint != "" {
		t.Fatalf("%+v", f.begun)
	}
	// Bob proves himself once more: no code for him.
	finish := f.signInAs("bob@example.com", f.begun[0])
	if got := query(t, finish.Otherwise); finish.Subject != f.begun[0].Subject || got.Get("error") != "login_required" || got.Get("state") != "st" || got.Get("iss") == "" {
		t.Errorf("%+v", finish)
	}
	fails(t, f.exchange(query(t, finish.Redirect).Get("code"), "client_id", "app"), 400, "invalid_grant")
	finish = f.signInAs("ada@example.com", f.begun[0])
	f.tokens(f.exchange(query(t, finish.Redirect).Get("code"), "client_id", "app"))
}

// unsigned is the same token with alg none.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	return "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + "."
}

// signedByStranger is the same token, header included, under another key.
func signedByStranger(t *testing.T, token string) string {
	t.Helper()
	header, _ := parts(t, token)
	key := newECKey(t)
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", header["kid"])
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, signer, payload(t, token))
}
