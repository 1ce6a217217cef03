package webtest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"hash/fnv"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	exact "github.com/go-jose/go-jose/v4/json"
	"golang.org/x/net/html"

	"idp/op"
	"idp/store"
	"idp/web/webtest"
)

// rig is the whole handler over a real SQLite, and one browser's cookies.
type rig struct {
	*webtest.Fixture
	cookies []*http.Cookie
}

func newRig(f *testing.F) *rig {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the library's
	r := &rig{Fixture: webtest.New(f)}
	for _, secret := range []string{"confidential", "other"} {
		c := store.Client{ID: secret, Name: secret, Type: store.Traditional, IDTokenAlg: "ES256", PKCE: true, RedirectURIs: []string{webtest.Callback},
			Secrets: []store.ClientSecret{{ID: store.NewID(time.Now()), Hash: store.HashOf([]byte(secret)), Prefix: secret[:4]}}}
		r.Must(r.DB.CreateClient(f.Context(), c))
	}
	r.Must(r.DB.CreateClient(f.Context(), store.Client{ID: "native", Name: "Native", Type: store.Native, IDTokenAlg: "ES256", PKCE: true,
		RedirectURIs: []string{"http://127.0.0.1/cb", "app.example:/cb"}}))
	return r
}

// serve answers a request in this process, as coming from a network of its own: no limit
// of a network stands in the way of the next.
func (r *rig) serve(t *testing.T, method, target, body string, headers ...string) *http.Response {
	t.Helper()
	req := &http.Request{Method: method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: webtest.URL(r.Server.URL).Host,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), RequestURI: target}
	var err error
	if req.URL, err = url.ParseRequestURI(target); err != nil {
		t.Skip() // the server of net/http answers those
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	for _, c := range r.cookies {
		req.AddCookie(c)
	}
	h := fnv.New128a()
	_, _ = io.WriteString(h, target+body)
	from := [16]byte(h.Sum(nil))
	from[0], from[1] = 0x20, 0x01
	req.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom16(from), 4711).String()
	w := httptest.NewRecorder()
	r.Handler.ServeHTTP(w, req.WithContext(t.Context()))
	res := w.Result()
	if res.StatusCode >= 500 {
		t.Fatalf("%s %q %q: status %d %s", method, target, body, res.StatusCode, w.Body)
	}
	for name, values := range res.Header {
		if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
			t.Fatalf("%s %q %q: header %s: %q", method, target, body, name, values)
		}
	}
	return res
}

// leads holds an answer to where it may lead: pages of our own, or an app that has
// registered the address.
func (r *rig) leads(t *testing.T, from string, res *http.Response) (answer url.Values) {
	t.Helper()
	to := res.Header.Get("Location")
	if to == "" {
		return nil
	}
	for _, own := range []string{webtest.Callback, "https://shop.example/other", webtest.AfterSignOut, "http://127.0.0.1/cb", "app.example:/cb"} {
		if rest, ok := strings.CutPrefix(to, own); ok && (rest == "" || rest[0] == '?') {
			u, err := url.Parse(to)
			if err != nil {
				t.Fatalf("%s leads to %q", from, to)
			}
			return u.Query()
		}
	}
	if rest, ok := strings.CutPrefix(to, "http://127.0.0.1:"); ok { // any port of the native app's
		if rest = strings.TrimLeft(rest, "0123456789"); strings.HasPrefix(rest, "/cb?") {
			u, _ := url.Parse(to)
			return u.Query()
		}
	}
	if strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.HasPrefix(to, `/\`) || strings.HasPrefix(to, r.Server.URL+"/") {
		return nil
	}
	t.Fatalf("%s leads to %q", from, to)
	return nil
}

// page holds a page to what all of ours are: nothing in it runs, and nothing leads
// somewhere that a stranger says.
func (r *rig) page(t *testing.T, from string, res *http.Response) {
	t.Helper()
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe-inline") {
		t.Fatalf("%s: policy %q", from, csp)
	}
	root, err := html.Parse(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"iframe", "object", "embed", "base", "applet", "frame"}, n.Data) || n.Data == "script" && n.FirstChild != nil {
			t.Fatalf("%s has a <%s>", from, n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" {
				t.Fatalf("%s has a %s=%q", from, a.Key, a.Val)
			}
			if !slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key) {
				continue
			}
			own := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") && !strings.HasPrefix(a.Val, `/\`)
			if !own && !strings.HasPrefix(a.Val, r.Server.URL) && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://shop.example/") && !strings.HasPrefix(a.Val, "data:,") {
				t.Fatalf("%s: <%s> leads to %q", from, n.Data, a.Val)
			}
		}
	}
}

// An authorization request that anybody can write: no failure, no way to an address that
// is not registered, no code for who is not signed in, the state back byte by byte.
func FuzzAuthorize(f *testing.F) {
	r := newRig(f)
	_, good, _ := strings.Cut(webtest.Authorize(), "?")
	for _, seed := range []string{
		good, good + "&prompt=none", good + "&prompt=none&max_age=0&ui_locales=de+ja", good + "&state=2", good + "&login_hint=ada%40example.com&first_screen=register",
		good + "&one_time_token=x&id_token_hint=eyJ.e30.x", good + "&resource=https%3A%2F%2Fapi.example&resource=x&nonce=%00", good + "&request=x",
		strings.Replace(good, url.QueryEscape(webtest.Callback), "https%3A%2F%2Fshop.example%40evil.example%2Fcallback", 1),
		strings.Replace(good, url.QueryEscape(webtest.Callback), "https%3A%2F%2Fshop.example%2Fcallback%0d%0aSet-Cookie:a=b", 1),
		"client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb&response_type=code&code_challenge=" + webtest.Challenge + "&code_challenge_method=S256&prompt=none",
		"client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A80%40evil.example%2Fcb&response_type=code", "client_id=%ff&redirect_uri=javascript:alert(1)", "a=b;c=d", "state=%80%81&" + good[:40], "&&=&=x",
	} {
		f.Add(seed, "state", "xyz")
		f.Add(good, "redirect_uri", seed)
	}
	f.Fuzz(func(t *testing.T, raw, name, value string) {
		if strings.ContainsFunc(raw, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' }) {
			raw = url.QueryEscape(raw) // no request line holds it
		}
		target := "/oidc/auth?" + raw
		if name != "" {
			target += "&" + url.QueryEscape(name) + "=" + url.QueryEscape(value)
		}
		res := r.serve(t, http.MethodGet, target, "")
		if answer := r.leads(t, target, res); answer != nil {
			if answer.Has("code") || answer.Get("error") == "" || answer.Get("error") == "server_error" || answer.Get("iss") != r.Server.URL+"/oidc" {
				t.Fatalf("%s is answered with %v", target, answer)
			}
			sent, _ := url.ParseQuery(raw + "&" + url.QueryEscape(name) + "=" + url.QueryEscape(value))
			if s := sent["state"]; len(s) == 1 && len(s[0]) <= 4096 && answer.Get("state") != s[0] {
				t.Fatalf("%s: state %q comes back as %q", target, s[0], answer.Get("state"))
			}
		}
		r.page(t, target, res)
	})
}

// What programs call: no failure, an answer that they can read, nothing for who has no
// more than a client's secret.
func FuzzToken(f *testing.F) {
	r := newRig(f)
	paths := []string{"/oidc/token", "/oidc/token/revocation", "/oidc/token/introspection", "/oidc/me", "/oidc/session/end"}
	const client = "&client_id=confidential&client_secret=confidential"
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("confidential:confidential"))
	zeros := strings.Repeat("A", 43)
	for i, seed := range []string{
		"grant_type=authorization_code&code=" + zeros + "&redirect_uri=" + url.QueryEscape(webtest.Callback) + "&code_verifier=" + webtest.Verifier + client,
		"grant_type=refresh_token&refresh_token=" + zeros + "&scope=openid&resource=x" + client, "grant_type=client_credentials&resource=https%3A%2F%2Fdefault.logto.app%2Fapi" + client,
		"grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x&subject_token_type=y" + client, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ.e30.x",
		"token=" + zeros + "&token_type_hint=access_token" + client, "token=eyJhbGciOiJub25lIn0.e30." + client, "access_token=" + zeros, "grant_type=%00&code=%ff", "a=b;c", "%zz",
		"post_logout_redirect_uri=https%3A%2F%2Fevil.example&client_id=shop", "id_token_hint=e30.e30.e30&state=%0a",
	} {
		f.Add(uint8(i), seed, "", "application/x-www-form-urlencoded")
		f.Add(uint8(0), seed, basic, "application/x-www-form-urlencoded; charset=utf-8")
		f.Add(uint8(3), seed, "Bearer "+zeros, "application/json")
	}
	f.Fuzz(func(t *testing.T, at uint8, body, authorization, kind string) {
		path := paths[int(at)%len(paths)]
		headers := []string{"Content-Type", kind}
		if authorization != "" {
			headers = append(headers, "Authorization", authorization)
		}
		res := r.serve(t, http.MethodPost, path, body, headers...)
		if path == "/oidc/session/end" {
			r.leads(t, path+" "+body, res)
			r.page(t, path+" "+body, res)
			return
		}
		text, _ := io.ReadAll(res.Body)
		var answer map[string]any
		if err := json.Unmarshal(text, &answer); err != nil && (path != "/oidc/token/revocation" || res.StatusCode != 200) {
			t.Fatalf("%s %q is answered with %d %q", path, body, res.StatusCode, text)
		}
		if answer["active"] == true || answer["access_token"] != nil || answer["sub"] != nil || res.StatusCode == 200 && (path == "/oidc/token" || path == "/oidc/me") {
			t.Fatalf("%s %q is given %s", path, body, text)
		}
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s %q may be kept: %v", path, body, res.Header)
		}
	})
}

// Claims that a client has signed count only if they are what RFC 7523 asks for, read
// letter by letter, and only once; what it has not signed never.
func FuzzAssertion(f *testing.F) {
	r := newRig(f)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.Must(err)
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k"}}})
	r.Must(err)
	keys, err := op.ClientKeys(public)
	r.Must(err)
	r.Must(r.DB.CreateClient(f.Context(), store.Client{ID: "keyed", Name: "Keyed", Type: store.Traditional, IDTokenAlg: "ES256", PKCE: true, JWKS: keys, RedirectURIs: []string{webtest.Callback}}))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	r.Must(err)
	authenticates := func(t *testing.T, assertion string) bool {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_assertion": {assertion},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
		res := r.serve(t, http.MethodPost, "/oidc/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		var answer struct{ Error string }
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Error == "" {
			t.Fatalf("%q is answered with %d (%v)", assertion, res.StatusCode, err)
		}
		return answer.Error == "invalid_grant"
	}
	// Times are told from now: what is kept has to mean the same next year.
	for _, seed := range []string{
		`{"iss":"keyed","sub":"keyed","aud":"@","exp":+60,"iat":+0,"jti":"?"}`, `{"iss":"keyed","sub":"keyed","aud":["x","@/token"],"exp":+3600,"jti":"?","nbf":+59}`,
		`{"ISS":"keyed","sub":"keyed","aud":"@","exp":+60,"jti":"?"}`, `{"iss":"shop","iss":"keyed","sub":"keyed","aud":"@","exp":+60,"jti":"?"}`,
		`{"iss":"keyed","sub":"keyed","aud":"@","exp":1e999,"jti":"?"}`, `{"iss":"keyed","sub":"keyed","aud":null,"exp":"+60","jti":7}`, `[]`, `null`, `{"exp":-9223372036854775808}`,
	} {
		f.Add(seed, "")
	}
	f.Add("", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJrZXllZCIsInN1YiI6ImtleWVkIn0.")
	f.Add("", `{"payload":"e30","signatures":[{"protected":"e30","signature":""}]}`)
	f.Fuzz(func(t *testing.T, claims, unsigned string) {
		if unsigned != "" {
			if authenticates(t, unsigned) {
				t.Fatalf("%q is taken", unsigned)
			}
			return
		}
		now := r.DB.Now()
		text := strings.NewReplacer("@", r.Server.URL+"/oidc", "?", rand.Text(), "+60", unix(now, 60), "+3600", unix(now, 3600), "+59", unix(now, 59), "+0", unix(now, 0)).Replace(claims)
		token, err := signer.Sign([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		assertion, err := token.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		if !authenticates(t, assertion) {
			return
		}
		var c struct {
			Issuer   string       `json:"iss"`
			Subject  string       `json:"sub"`
			Audience any          `json:"aud"`
			Expires  exact.Number `json:"exp"`
			ID       string       `json:"jti"`
		}
		if err := exact.NewDecoder(bytes.NewReader([]byte(text))).Decode(&c); err != nil || c.Issuer != "keyed" || c.Subject != "keyed" || c.ID == "" || c.Expires == "" || c.Audience == nil {
			t.Fatalf("%s is taken: %+v (%v)", text, c, err)
		}
		if seconds, err := c.Expires.Float64(); err != nil || seconds < float64(now.Unix()-61) || seconds > float64(now.Unix()+3700) {
			t.Fatalf("%s is taken: it ends at %s", text, c.Expires)
		}
		if authenticates(t, assertion) {
			t.Fatalf("%s is taken twice", text)
		}
	})
}

func unix(now time.Time, plus int64) string {
	text, _ := json.Marshal(now.Unix() + plus)
	return string(text)
}

// What is sent to the pages, with sealed values that are good, and with what is left of
// them: no failure, no way out, nothing that runs, and nobody signed in without a code.
func FuzzPages(f *testing.F) {
	r := newRig(f)
	p := r.Person()
	code := p.ToCode("/sign-in", "ada@example.com")
	form := code.Form("/verify")
	stranger := r.Person().ToCode("/sign-in", "ada@example.com").Form("/verify")
	ask := r.Person().SignedUp("eve@example.com").Get("/oidc/session/end").Form("/sign-out")
	r.cookies = p.HTTP.Jar.Cookies(webtest.URL(r.Server.URL))
	live := strings.NewReplacer("$r", form.Get("r"), "$c", form.Get("c"), "$R", stranger.Get("r"), "$C", stranger.Get("c"), "$t", form.Get("t"), "$o", ask.Get("o"), "$s", ask.Get("t"))
	paths := []string{"/sign-in", "/register", "/recover", "/verify", "/verify/resend", "/verify/status", "/verify/link", "/not-me", "/cancel", "/choose", "/token",
		"/account", "/account/sign-out", "/account/sessions", "/sign-out", "/signed-out", "/console", "/console/people", "/oidc/session/end", "/console/enter"}
	for i := range paths {
		f.Add(uint8(i), true, "r=$r&c=$c&t=$t&email=ada%40example.com&code=12345")
		f.Add(uint8(i), false, "r=$r&c=$c&lang=ja")
		f.Add(uint8(i), true, "r=$R&c=$C&t=$t&o=$o&email=%00&code=%ff")
	}
	for i, seed := range []string{"r=$r&c=$Cx", "r=$rAA&c=$c", "o=$o&t=$s", "t=$c", "r=$c&c=$r", "lang=%00", "lang=../../x", "done=ended", "q=%25&after=x", "r=$r&email=ada%40example.com%0d%0aBcc:x", "%zz", "a;b", "r=$r&r=$r", "post_logout_redirect_uri=//evil.example"} {
		for n := 4 * i; n < 4*i+4; n++ {
			f.Add(uint8(n), n%2 == 0, seed)
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, post bool, sent string) {
		path, text := paths[int(at)%len(paths)], live.Replace(sent)
		var res *http.Response
		if post {
			res = r.serve(t, http.MethodPost, path, text, "Content-Type", "application/x-www-form-urlencoded", "Origin", r.Server.URL)
		} else {
			if strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' }) {
				text = url.QueryEscape(text)
			}
			res = r.serve(t, http.MethodGet, path+"?"+text, "")
		}
		from := path + " " + sent
		if answer := r.leads(t, from, res); answer.Has("code") {
			t.Fatalf("%s signs in: %v", from, answer)
		}
		for _, c := range res.Cookies() {
			if (strings.Contains(c.Name, "session") || strings.Contains(c.Name, "console")) && c.MaxAge >= 0 && c.Value != "" {
				t.Fatalf("%s sets %v", from, c)
			}
		}
		r.page(t, from, res)
	})
}
