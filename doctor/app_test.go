package doctor_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/doctor"
	"idp/mailer"
	"idp/store"
)

const secret = "x3mPp0qRsT8uVwXyZ1aBcD2eFgH4iJkL"

func shop(change ...func(*store.Client)) doctor.App {
	c := store.Client{
		ID: "8vsegcsqi3v0fxc3ve2jz", Name: "Shop", Type: store.Traditional, IDTokenAlg: "ES256", PKCE: true,
		RedirectURIs:           []string{"https://shop.example.com/callback", "http://localhost:8080/callback"},
		PostLogoutRedirectURIs: []string{"https://shop.example.com"},
		Secrets:                []store.ClientSecret{{Hash: store.HashOf([]byte(secret)), Prefix: secret[:4]}},
	}
	for _, f := range change {
		f(&c)
	}
	endpoint, _ := url.Parse("https://id.example.com")
	return doctor.App{Client: c, Endpoint: endpoint, HTTP: doctor.NewClient()}
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	for _, f := range tells("", shop().CheckRegistration) {
		if f.Level != mailer.OK {
			t.Errorf("%+v", f)
		}
	}
	public := func(c *store.Client) { c.Type, c.Secrets = store.SPA, nil }
	with := func(secret string, change ...func(*store.Client)) doctor.App {
		a := shop(change...)
		a.Secret = secret
		return a
	}
	takes := func(alg string, change ...func(*store.Client)) doctor.App {
		a := shop(change...)
		a.Alg = alg
		return a
	}
	signs := func(alg string) func(*store.Client) { return func(c *store.Client) { c.IDTokenAlg = alg } }
	for name, c := range map[string]struct {
		app   doctor.App
		check string
		level mailer.Level
		part  string
	}{
		"nowhere":        {shop(func(c *store.Client) { c.RedirectURIs = nil }), "redirect URIs", mailer.Failure, "nobody can come back"},
		"http":           {shop(func(c *store.Client) { c.RedirectURIs = []string{"http://shop.example.com/"} }), "redirect URIs", mailer.Failure, "use https"},
		"twins":          {shop(func(c *store.Client) { c.RedirectURIs = []string{"https://a.example/cb", "https://a.example/cb/"} }), "redirect URIs", mailer.Warning, "with and without a slash"},
		"post-logout":    {shop(func(c *store.Client) { c.PostLogoutRedirectURIs = []string{"http://a.example/"} }), "post-logout URIs", mailer.Failure, "use https"},
		"machine":        {shop(func(c *store.Client) { c.Type, c.RedirectURIs = store.Machine, nil }), "redirect URIs", mailer.OK, "none needed"},
		"EdDSA":          {shop(signs("EdDSA")), "ID token", mailer.Warning, "Logto's Python SDK"},
		"EdDSA, wanted":  {takes("EdDSA", signs("EdDSA")), "ID token", mailer.OK, "EdDSA"},
		"other alg":      {takes("RS256"), "ID token", mailer.Failure, "signed with ES256, and the app takes RS256"},
		"no PKCE":        {shop(func(c *store.Client) { c.PKCE = false }), "PKCE", mailer.Warning, "not required"},
		"no secret":      {shop(func(c *store.Client) { c.Secrets = nil }), "secret", mailer.Failure, "neither a secret nor keys"},
		"keys":           {shop(func(c *store.Client) { c.Secrets, c.JWKS = nil, `{"keys":[]}` }), "secret", mailer.OK, "private_key_jwt"},
		"right secret":   {with(secret), "secret", mailer.OK, "is registered"},
		"wrong secret":   {with("0" + secret[1:]), "secret", mailer.Failure, `starts with "03mP", and is none of those registered, which start with x3mP…`},
		"quoted secret":  {with(`"` + secret + `"`), "secret", mailer.Failure, "quotes around it"},
		"id as secret":   {with("8vsegcsqi3v0fxc3ve2jz"), "secret", mailer.Failure, "is the client id"},
		"public, secret": {with(secret, public), "secret", mailer.Failure, "a spa app has no secret"},
		"public":         {shop(public), "secret", mailer.OK, "none, as it should be"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is(t, tells(c.check, c.app.CheckRegistration), c.level, c.part)
		})
	}
}

func TestRedirectSent(t *testing.T) {
	t.Parallel()
	native := func(c *store.Client) { c.Type = store.Native }
	for sent, part := range map[string]string{
		"https://shop.example.com/callback/":  `goes on with "/" where the registered https://shop.example.com/callback ends`,
		"https://shop.example.com/call":       `ends where the registered https://shop.example.com/callback goes on with "back"`,
		"https://shop.example.com/Callback":   `at character 26: "C" in the place of "c"`,
		"http://shop.example.com/callback":    `at character 5: ":" in the place of "s"`,
		"http://localhost:8081/callback":      `at character 21: "1" in the place of "0"`,
		"https://shop.example.com/çallback":   `at character 26: "ç" in the place of "c"`,
		"https://shop.example.com/callback#a": `goes on with "#a"`,
		"":                                    `goes on with "http`,
	} {
		is(t, tells("", func(tell doctor.Tell) { shop().CheckRedirect(tell, sent) }), mailer.Failure, part)
	}
	is(t, tells("", func(tell doctor.Tell) { shop().CheckRedirect(tell, "https://shop.example.com/callback") }), mailer.OK, "is registered")
	is(t, tells("", func(tell doctor.Tell) { shop(native).CheckRedirect(tell, "http://localhost:1/callback") }), mailer.OK, "another port")
	is(t, tells("", func(tell doctor.Tell) { shop(native).CheckRedirect(tell, "http://127.0.0.1:1/callback") }), mailer.Failure, "in the place of")
	none := shop(func(c *store.Client) { c.RedirectURIs = nil })
	is(t, tells("", func(tell doctor.Tell) { none.CheckRedirect(tell, "https://a.example/") }), mailer.Failure, "nothing is")
}

var metadata = doctor.Metadata{
	Issuer: "https://id.example.com/oidc", Authorization: "https://id.example.com/oidc/auth",
	Scopes: []string{"openid", "offline_access", "profile", "email"},
}

func TestURLSent(t *testing.T) {
	t.Parallel()
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	good := "https://id.example.com/oidc/auth?client_id=8vsegcsqi3v0fxc3ve2jz&redirect_uri=https%3A%2F%2Fshop.example.com%2Fcallback" +
		"&response_type=code&scope=openid+email&state=s&code_challenge_method=S256&code_challenge=" + challenge
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the server is not asked here
	told := func(text, check string) []mailer.Finding {
		return tells(check, func(tell doctor.Tell) { shop().CheckURL(ctx, tell, text, metadata) })
	}
	for _, f := range told(good, "") {
		if f.Level != mailer.OK && f.Check != "answer to it" {
			t.Errorf("%+v", f)
		}
	}
	for _, c := range []struct {
		old, new, check string
		level           mailer.Level
		part            string
	}{
		{"id.example.com/oidc/auth", "id.example.com/auth", "request sent", mailer.Failure, "Set the app's endpoint to https://id.example.com"},
		{"client_id=8vs", "client_id=9vs", "client id sent", mailer.Failure, `calls itself "9vsegcsqi3v0fxc3ve2jz"`},
		{"%2Fcallback", "%2Fcallback%2F", "redirect URI sent", mailer.Failure, `goes on with "/"`},
		{"response_type=code", "response_type=token", "response type sent", mailer.Failure, "only code"},
		{"&state=s", "&state=s&response_mode=fragment", "response mode sent", mailer.Failure, "only query"},
		{"&state=s", "&state=s&state=t", "state sent", mailer.Failure, "2 times"},
		{"&state=s", "", "state sent", mailer.Warning, "none"},
		{"openid+email", "email", "scope sent", mailer.Failure, "without openid"},
		{"openid+email", "openid+emial", "scope sent", mailer.Warning, "emial: not known here"},
		{"openid+email", "openid", "scope sent", mailer.OK, "without email"},
		{"&code_challenge=" + challenge, "", "PKCE sent", mailer.Failure, "is missing"},
		{"method=S256", "method=plain", "PKCE sent", mailer.Failure, `"plain"`},
		{challenge, challenge + "=", "PKCE sent", mailer.Failure, "44 characters, not 43"},
		{"&state=s", "&state=s&id_token_signed_response_alg=RS256", "ID token", mailer.Failure, "asks for RS256"},
		{good, "nonsense", "request sent", mailer.Failure, "is none"},
		{"scope=", "scope=%", "request sent", mailer.Failure, "cannot be read"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("no %q", c.old)
		}
		is(t, told(strings.Replace(good, c.old, c.new, 1), c.check), c.level, c.part)
	}
}

func TestCookieSize(t *testing.T) {
	t.Parallel()
	size := func(alg string) int {
		signed, encrypted := shop(func(c *store.Client) { c.IDTokenAlg = alg }).CookieSize()
		if encrypted <= signed {
			t.Errorf("%s: encrypted %d, signed %d", alg, encrypted, signed)
		}
		return signed
	}
	if es, rs := size("ES256"), size("RS256"); rs-es != 256 { // 192 bytes more, in base64
		t.Errorf("RS256 takes %d, ES256 %d", rs, es)
	}
}

// server answers discovery in the place of an idp.
func server(t *testing.T, start func(*httptest.Server), h http.HandlerFunc) *url.URL {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of refused handshakes
	start(s)
	t.Cleanup(s.Close)
	u, _ := url.Parse(s.URL)
	return u
}

func TestIssuer(t *testing.T) {
	t.Parallel()
	plain := (*httptest.Server).Start
	for name, c := range map[string]struct {
		start  func(*httptest.Server)
		answer http.HandlerFunc
		part   string
	}{
		"redirect": {plain, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example/", http.StatusFound)
		}, "redirects to https://other.example/"},
		"not found":  {plain, http.NotFound, "answers 404"},
		"page":       {plain, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<h1>hello") }, "answers no JSON"},
		"other name": {plain, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"issuer":"http://idp:3001/oidc"}`) }, "calls itself http://idp:3001/oidc"},
		"other token endpoint": {plain, func(w http.ResponseWriter, r *http.Request) {
			at := "http://" + r.Host + "/oidc"
			io.WriteString(w, `{"issuer":"`+at+`","authorization_endpoint":"`+at+`/auth","token_endpoint":"`+at+`.evil.example/token","jwks_uri":"`+at+`/jwks"}`)
		}, ".evil.example/token\", which is not below"},
		"own CA":      {(*httptest.Server).StartTLS, http.NotFound, "whole certificate chain"},
		"hangs up":    {plain, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be reached"},
		"large, slow": {plain, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, "answers 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := doctor.Issuer{Endpoint: server(t, c.start, c.answer), HTTP: doctor.NewClient()}
			is(t, tells("", func(tell doctor.Tell) { i.Check(t.Context(), tell) }), mailer.Failure, c.part)
		})
	}
	gone := server(t, plain, http.NotFound)
	gone.Host = nobody
	i := doctor.Issuer{Endpoint: gone, HTTP: doctor.NewClient()}
	is(t, tells("", func(tell doctor.Tell) { i.Check(t.Context(), tell) }), mailer.Failure, "Start it: idp serve")
}

// A server that is fine but for what a flag says.
func TestIssuerGoesOn(t *testing.T) {
	t.Parallel()
	var ready atomic.Int32
	var client *http.Client
	h := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/readyz":
			w.WriteHeader(int(ready.Load()))
			io.WriteString(w, `{"database":"does not answer"}`)
		case "/healthz":
			io.WriteString(w, `{"version":"1.0"}`)
		case "/oidc/jwks":
			io.WriteString(w, `{"keys":[{"kid":"k1","alg":"ES256"}]}`)
		default:
			at := "https://" + r.Host + "/oidc"
			io.WriteString(w, `{"issuer":"`+at+`","authorization_endpoint":"`+at+`/auth","token_endpoint":"`+at+`/token","jwks_uri":"`+at+`/jwks"}`)
		}
	}
	endpoint := server(t, func(s *httptest.Server) { s.StartTLS(); client = s.Client() }, h)
	told := func(check string, status int, version string, keys ...string) []mailer.Finding {
		ready.Store(int32(status))
		return tells(check, func(tell doctor.Tell) {
			doctor.Issuer{Endpoint: endpoint, HTTP: client, Version: version, Keys: keys}.Check(t.Context(), tell)
		})
	}
	is(t, told("issuer", 200, ""), mailer.OK, "by that name")
	is(t, told("certificate", 200, ""), mailer.OK, "good until "+time.Date(2084, 1, 29, 0, 0, 0, 0, time.UTC).Format("2006-01-02"))
	is(t, told("ready", 200, ""), mailer.OK, "has its database")
	is(t, told("ready", 503, ""), mailer.Failure, "does not answer")
	is(t, told("ready", 404, ""), mailer.OK, "not open")
	is(t, told("version", 200, "1.0"), mailer.OK, "1.0")
	is(t, told("version", 200, "1.1"), mailer.Warning, "the server is 1.0, this command is 1.1")
	is(t, told("published keys", 200, "", "k0", "k1"), mailer.OK, "of this database")
	is(t, told("published keys", 200, "", "k0"), mailer.Failure, "works on another one")
}
