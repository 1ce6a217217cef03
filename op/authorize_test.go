package op_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/store"
)

func TestAuthorizeShowsThePage(t *testing.T) {
	t.Parallel()
	f := setup(t)
	r := f.authorize("nonce", "n-1", "prompt", "consent", "login_hint", "ada@example.com", "ui_locales", "ja en-GB x_y "+strings.Repeat("z", 40),
		"scope", "openid offline_access profile weather openid", "resource", "urn:logto:resource:organizations")
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	got := f.begun[0]
	if got.Client != "shop" || got.RedirectURI != callback || got.State != "st" || !got.HasState || got.Nonce != "n-1" || got.CodeChallenge != s256 ||
		got.LoginHint != "ada@example.com" || !slices.Equal(got.UILocales, []string{"ja", "en-GB"}) ||
		!slices.Equal(got.Scopes, []string{"openid", "offline_access", "profile"}) || got.Screen != store.ScreenSignIn || got.ID.IsZero() || got.StartedAt.IsZero() {
		t.Errorf("%+v", got)
	}
}

// A page, never a redirect, while it is not known that the redirect is good.
func TestAuthorizeRefusesByPage(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for name, c := range map[string]struct{ query, kind string }{
		"nothing":                {"", "unknown_client"},
		"unknown client":         {params("client_id", "nobody").Encode(), "unknown_client"},
		"client id with NUL":     {params("client_id", "shop\x00").Encode(), "unknown_client"},
		"client id not UTF-8":    {params("client_id", "\xff").Encode(), "unknown_client"},
		"long client id":         {params("client_id", strings.Repeat("a", 9000)).Encode(), "unknown_client"},
		"no redirect":            {params("redirect_uri", "-").Encode(), "redirect_mismatch"},
		"other redirect":         {params("redirect_uri", "https://evil.example/").Encode(), "redirect_mismatch"},
		"two clients":            {params().Encode() + "&client_id=shop", "bad_request"},
		"two redirects":          {params().Encode() + "&redirect_uri=https://evil.example/", "bad_request"},
		"broken escape":          {params().Encode() + "&x=%zz", "bad_request"},
		"semicolon":              {params().Encode() + ";x=1", "bad_request"},
		"too large":              {params("state", strings.Repeat("s", 17000)).Encode(), "too_large"},
		"bad redirect, bad type": {params("redirect_uri", "https://evil.example/", "response_type", "token").Encode(), "redirect_mismatch"},
	} {
		f.refused = nil
		r := f.get("/oidc/auth?" + c.query)
		if r.Header.Get("Location") != "" || len(f.refused) != 1 || f.refused[0].Kind != c.kind {
			t.Errorf("%s: %s %+v", name, r.Header.Get("Location"), f.refused)
		}
	}
	f.refused = nil
	f.authorize("redirect_uri", "https://evil.example/")
	if p := f.refused[0]; p.Client != "shop" || p.Sent != "https://evil.example/" || !slices.Equal(p.Registered, []string{callback}) {
		t.Errorf("%+v", p)
	}
	if len(f.begun) != 0 {
		t.Error("a page was begun")
	}
}

func TestAuthorizeDeniesByRedirect(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for name, c := range map[string]struct {
		changes []string
		code    string
	}{
		"no type":                 {[]string{"response_type", "-"}, "invalid_request"},
		"implicit":                {[]string{"response_type", "id_token"}, "unsupported_response_type"},
		"hybrid":                  {[]string{"response_type", "code id_token"}, "unsupported_response_type"},
		"fragment":                {[]string{"response_mode", "fragment"}, "invalid_request"},
		"form_post":               {[]string{"response_mode", "form_post"}, "invalid_request"},
		"request object":          {[]string{"request", "eyJ"}, "request_not_supported"},
		"request by reference":    {[]string{"request_uri", "https://evil.example/r"}, "request_uri_not_supported"},
		"registration":            {[]string{"registration", "{}"}, "registration_not_supported"},
		"no PKCE":                 {[]string{"code_challenge", "-", "code_challenge_method", "-"}, "invalid_request"},
		"PKCE without challenge":  {[]string{"code_challenge", "-"}, "invalid_request"},
		"PKCE downgrade":          {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"PKCE downgrade, silent":  {[]string{"code_challenge_method", "-"}, "invalid_request"},
		"PKCE method in lower":    {[]string{"code_challenge_method", "s256"}, "invalid_request"},
		"short challenge":         {[]string{"code_challenge", s256[1:]}, "invalid_request"},
		"long challenge":          {[]string{"code_challenge", s256 + "A"}, "invalid_request"},
		"challenge in base64":     {[]string{"code_challenge", s256[:42] + "+"}, "invalid_request"},
		"none and login":          {[]string{"prompt", "none login"}, "invalid_request"},
		"unknown prompt":          {[]string{"prompt", "dance"}, "invalid_request"},
		"none without a session":  {[]string{"prompt", "none"}, "login_required"},
		"max_age in words":        {[]string{"max_age", "young"}, "invalid_request"},
		"negative max_age":        {[]string{"max_age", "-1"}, "invalid_request"},
		"huge max_age":            {[]string{"max_age", "99999999999999999999"}, "invalid_request"},
		"long nonce":              {[]string{"nonce", strings.Repeat("n", 4097)}, "invalid_request"},
		"nonce with NUL":          {[]string{"nonce", "a\x00b"}, "invalid_request"},
		"nonce not UTF-8":         {[]string{"nonce", "\xff"}, "invalid_request"},
		"state stays as it is":    {[]string{"response_type", "token", "state", "\x00 +%&=#\"ü\xff"}, "unsupported_response_type"},
		"empty state stays empty": {[]string{"response_type", "token", "state", ""}, "unsupported_response_type"},
	} {
		r := f.authorize(c.changes...)
		location := r.Header.Get("Location")
		if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, callback+"&error=") {
			t.Errorf("%s: %d %q %+v", name, r.StatusCode, location, f.refused)
			continue
		}
		sent, got := params(c.changes...), query(t, location)
		if got.Get("error") != c.code || got.Get("error_description") == "" || got.Get("iss") != f.provider.Issuer() ||
			got.Get("state") != sent.Get("state") || !got.Has("state") {
			t.Errorf("%s: %v", name, got)
		}
	}
	if len(f.begun)+len(f.refused) != 0 {
		t.Error("a page was shown")
	}
}

func TestAuthorizeDuplicates(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for extra, refused := range map[string]bool{
		"&scope=openid": true, "&state=other": true, "&code_challenge=" + s256: true, "&x=1&x=2": true, "&resource=&resource=&audience=c&audience=d": false,
	} {
		r := f.get("/oidc/auth?" + params().Encode() + extra)
		if got := query(t, r.Header.Get("Location")); (got.Get("error") == "invalid_request") != refused {
			t.Errorf("%s: %d %v", extra, r.StatusCode, got)
		} else if extra == "&state=other" && got.Has("state") {
			t.Error("one of two states was given back")
		}
	}
}

func TestAuthorizeState(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, state := range []string{strings.Repeat("s", 2048), strings.Repeat("ü", 2048), "\x00\xff\r\n<&>", `{"a":"b c+d"}`} {
		f.authorize("state", state)
		sealed := f.provider.Seal(f.begun[len(f.begun)-1], f.browser)
		req, err := f.provider.Open(sealed, f.browser)
		f.must(err)
		if got := query(t, f.signIn(req).Redirect).Get("state"); got != state {
			t.Errorf("state %q came back as %q", state, got)
		}
	}
	got := query(t, f.authorize("state", strings.Repeat("s", 4097)).Header.Get("Location"))
	if got.Get("error") != "invalid_request" || got.Has("state") {
		t.Errorf("state over the limit: %v", got)
	}
	f.authorize("state", "-")
	if u := f.provider.Cancel(f.begun[len(f.begun)-1]); query(t, u).Has("state") || query(t, u).Get("error") != "access_denied" {
		t.Error(u)
	}
}

func TestAuthorizeScreens(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, c := range []struct {
		screen  store.Screen
		changes []string
	}{
		{store.ScreenSignIn, nil},
		{store.ScreenSignIn, []string{"first_screen", "sign_in", "interaction_mode", "signUp"}},
		{store.ScreenSignIn, []string{"first_screen", "identifier:sign_in"}},
		{store.ScreenSignIn, []string{"first_screen", "single_sign_on"}},
		{store.ScreenSignIn, []string{"first_screen", "signIn"}},
		{store.ScreenSignIn, []string{"first_screen", "nonsense", "login_hint", strings.Repeat("x", 400)}},
		{store.ScreenSignIn, []string{"interaction_mode", "signIn"}},
		{store.ScreenRegister, []string{"interaction_mode", "signUp"}},
		{store.ScreenRegister, []string{"first_screen", "nonsense", "interaction_mode", "signUp"}},
		{store.ScreenRegister, []string{"first_screen", "register", "interaction_mode", "signIn"}},
		{store.ScreenRegister, []string{"first_screen", "identifier:register"}},
		{store.ScreenRegister, []string{"prompt", "create"}},
		{store.ScreenRecover, []string{"first_screen", "reset_password"}},
	} {
		f.begun = nil
		f.authorize(c.changes...)
		if len(f.begun) != 1 || f.begun[0].Screen != c.screen || f.begun[0].LoginHint != "" {
			t.Errorf("%v: %+v", c.changes, f.begun)
		}
	}
}

func TestAuthorizeScopes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for scope, want := range map[string][]string{"-": {"openid"}, " ": {"openid"}, "profile": {"profile"}, "weather": {}, "email  openid email": {"email", "openid"}} {
		f.begun = nil
		f.authorize("scope", scope)
		if got := f.begun[0].Scopes; !slices.Equal(got, want) {
			t.Errorf("%q: %q", scope, got)
		}
	}
}

func TestAuthorizeFromASession(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.authorize()
	f.session = f.signIn(f.begun[0]).Completion.Session.Hash
	f.begun = nil
	for _, changes := range [][]string{nil, {"prompt", "consent"}, {"prompt", "none"}, {"max_age", "60"}, {"first_screen", "register"}} {
		r := f.authorize(changes...)
		got := query(t, r.Header.Get("Location"))
		if r.StatusCode != http.StatusSeeOther || got.Get("code") == "" || got.Get("state") != "st" || got.Get("iss") != f.provider.Issuer() || got.Get("shop") != "1" {
			t.Fatalf("%v: %d %v", changes, r.StatusCode, got)
		}
		f.tokens(f.exchange(got.Get("code")))
	}
	for _, changes := range [][]string{{"prompt", "login"}, {"prompt", "create"}, {"prompt", "login consent"}, {"prompt", "login select_account"}, {"max_age", "0"}} {
		f.begun = nil
		if r := f.authorize(changes...); r.StatusCode != http.StatusOK || len(f.begun) != 1 || len(f.chosen) > 0 {
			t.Errorf("%v: %d", changes, r.StatusCode)
		} else if hint := f.begun[0].LoginHint; (hint == "ada@example.com") != (f.begun[0].Screen == store.ScreenSignIn) {
			t.Errorf("%v: the page is prefilled with %q", changes, hint)
		}
		// Nobody goes on from such a page without a new proof.
		if _, err := f.provider.Continue(httptest.NewRequest("POST", "/", nil), f.begun[0], f.session, f.browser); store.CodeOf(err) != store.NotFound {
			t.Errorf("%v: %v", changes, err)
		}
	}
	f.db.AdvanceForTest(2 * time.Minute)
	if r := f.authorize("max_age", "60", "prompt", "none"); query(t, r.Header.Get("Location")).Get("error") != "login_required" {
		t.Error("a session older than max_age was good for prompt=none")
	}
	f.browser = random()
	if r := f.authorize(); r.StatusCode != http.StatusOK {
		t.Error("another browser's session was taken")
	}
}

// A session answers for its own person only.
func TestAuthorizeHintsAtSomebodyElse(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.authorize()
	f.session = f.signIn(f.begun[0]).Completion.Session.Hash
	for _, hint := range []string{"ada@example.com", " Ada@Example.COM", "ada", "Bob <bob@example.com>", ""} {
		if r := f.authorize("login_hint", hint); query(t, r.Header.Get("Location")).Get("code") == "" {
			t.Errorf("%q: %d %v", hint, r.StatusCode, r.Header)
		}
	}
	f.begun = nil
	if r := f.authorize("login_hint", "bob@example.com"); len(f.begun) != 1 || f.begun[0].LoginHint != "bob@example.com" || len(f.chosen) != 1 || f.chosen[0].User.Email != "ada@example.com" {
		t.Errorf("%d %v %+v", r.StatusCode, r.Header, f.begun)
	}
	if got := query(t, f.authorize("login_hint", "bob@example.com", "prompt", "none").Header.Get("Location")); got.Get("error") != "login_required" || got.Has("code") {
		t.Errorf("prompt=none: %v", got)
	}
}

func TestAuthorizeDoesNothingForNobody(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.authorize()
	f.session = f.signIn(f.begun[0]).Completion.Session.Hash
	path := "/oidc/auth?" + params().Encode()
	if r := f.do(http.MethodHead, path, ""); r.StatusCode != http.StatusOK || r.Header.Get("Location") != "" {
		t.Errorf("HEAD: %d %v", r.StatusCode, r.Header)
	}
	for _, header := range [][]string{{"Sec-Purpose", "prefetch;prerender"}, {"Purpose", "prefetch"}} {
		if r := f.get(path, header...); r.StatusCode != http.StatusTooEarly || r.Header.Get("Location") != "" {
			t.Errorf("%v: %d %v", header, r.StatusCode, r.Header)
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := f.do(method, path, "", "Origin", "https://shop.example", "Access-Control-Request-Method", "GET")
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD, POST" || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", method, r.StatusCode, r.Header)
		}
	}
	if len(f.begun) != 1 {
		t.Error("a page was begun")
	}
}

func TestAuthorizePostBecomesGet(t *testing.T) {
	t.Parallel()
	f := setup(t)
	want := params("state", "a b&c=ü\xff")
	r := f.do(http.MethodPost, "/oidc/auth", want.Encode(), "Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site")
	path, raw, _ := strings.Cut(r.Header.Get("Location"), "?")
	got, err := url.ParseQuery(raw)
	if r.StatusCode != http.StatusSeeOther || path != "/oidc/auth" || err != nil || got.Encode() != want.Encode() {
		t.Fatalf("%d %s", r.StatusCode, r.Header.Get("Location"))
	}
	f.get(r.Header.Get("Location"))
	if len(f.begun) != 1 {
		t.Fatal("no page")
	}
	for name, c := range map[string]struct{ body, kind string }{
		"body too large":  {"x=" + strings.Repeat("y", 70_000), "too_large"},
		"query too large": {"x=" + strings.Repeat("y", 20_000), "too_large"},
		"no form":         {"x=%zz", "bad_request"},
	} {
		f.refused = nil
		if r := f.do(http.MethodPost, "/oidc/auth", c.body); len(f.refused) != 1 || f.refused[0].Kind != c.kind || r.Header.Get("Location") != "" {
			t.Errorf("%s: %+v", name, f.refused)
		}
	}
}

func TestAuthorizeWithoutPKCE(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "basic", Type: store.Traditional, PKCE: false})
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: false}) // public: required all the same
	without := []string{"code_challenge", "-", "code_challenge_method", "-"}
	if r := f.authorize(append(without, "client_id", "basic")...); r.StatusCode != http.StatusOK {
		t.Error("PKCE was asked of a client that is let off")
	}
	if r := f.authorize(append(without, "client_id", "spa")...); query(t, r.Header.Get("Location")).Get("error") != "invalid_request" {
		t.Error("a public client got by without PKCE")
	}
	// What it does send counts: no verifier, no tokens; and a verifier without a challenge is none.
	code := f.code("client_id", "basic")
	fails(t, f.exchange(code, "client_id", "basic", "code_verifier", "-"), 400, "invalid_grant")
	f.tokens(f.exchange(code, "client_id", "basic"))
	code = f.code(append(without, "client_id", "basic")...)
	fails(t, f.exchange(code, "client_id", "basic"), 400, "invalid_grant")
	f.tokens(f.exchange(code, "client_id", "basic", "code_verifier", "-"))
}

// auth_time is when the person proved who they are, for every client of a session, and
// max_age is held against it to the second.
func TestAuthTimeAndMaxAge(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := payload(t, f.tokens(f.exchange(f.enter("ada@example.com"))).ID)
	f.db.AdvanceForTest(90 * time.Second)
	silently := func(changes ...string) url.Values {
		return query(t, f.authorize(append(changes, "prompt", "none")...).Header.Get("Location"))
	}
	again := payload(t, f.tokens(f.exchange(silently("max_age", "95").Get("code"))).ID)
	if first["auth_time"] != again["auth_time"] || first["sub"] != again["sub"] || first["sid"] != again["sid"] || again["iat"].(float64) <= first["iat"].(float64) {
		t.Errorf("%v %v", first, again)
	}
	if got := silently("max_age", "89"); got.Get("error") != "login_required" {
		t.Error(got)
	}
	renewed := payload(t, f.tokens(f.exchange(f.enter("ada@example.com", "max_age", "89"))).ID)
	if renewed["auth_time"].(float64) < first["auth_time"].(float64)+89 || renewed["sid"] == first["sid"] || renewed["sub"] != first["sub"] {
		t.Errorf("%v %v", first, renewed)
	}
	for _, age := range []string{"-1", "1.5", "x", "99999999999"} {
		if got := query(t, f.authorize("max_age", age).Header.Get("Location")); got.Get("error") != "invalid_request" {
			t.Errorf("max_age=%s: %v", age, got)
		}
	}
}
