package e2e_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// visitor is a browser without JavaScript: cookies, links, forms.
type visitor struct {
	t      *testing.T
	s      *server
	http   *http.Client
	outage bool // the database is away: 503 is an answer
}

// page is an answer.
type page struct {
	t      *testing.T
	status int
	header http.Header
	url    *url.URL // after redirects within the provider
	body   string
	doc    *html.Node
	leaves string // a redirect out of the provider, or ""
}

func newVisitor(t *testing.T, s *server) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, s: s}
	v.http = &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(req.URL.String(), s.endpoint+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return v
}

func (v *visitor) do(method, target string, form url.Values, header ...string) page {
	v.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = v.s.endpoint + target
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", v.s.endpoint)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	p := page{t: v.t, status: resp.StatusCode, header: resp.Header, url: resp.Request.URL, body: string(text)}
	if resp.StatusCode/100 == 3 {
		p.leaves = resp.Header.Get("Location")
	}
	if p.doc, err = html.Parse(strings.NewReader(p.body)); err != nil {
		v.t.Fatal(err)
	}
	if p.status >= 500 && !(v.outage && p.status == http.StatusServiceUnavailable) {
		v.t.Errorf("%s %s answered %d: nothing that a stranger sends may do that\n%s", method, target, p.status, p.text())
	}
	return p
}

func (v *visitor) get(target string) page { v.t.Helper(); return v.do(http.MethodGet, target, nil) }

// submit sends the page's form that posts to action, with its hidden fields and
// the given ones.
func (v *visitor) submit(p page, action string, fields ...string) page {
	v.t.Helper()
	f := p.form(action)
	if f == nil {
		v.t.Fatalf("the page has no form that posts to %s:\n%s", action, p.text())
	}
	values := url.Values{}
	walk(f, func(n *html.Node) {
		if n.Data == "input" && attr(n, "name") != "" && attr(n, "type") != "submit" {
			values.Add(attr(n, "name"), attr(n, "value"))
		}
	})
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	target := p.url.ResolveReference(must(url.Parse(attr(f, "action"))))
	return v.do(http.MethodPost, target.String(), values)
}

func (p page) form(action string) (form *html.Node) {
	walk(p.doc, func(n *html.Node) {
		if u, err := url.Parse(attr(n, "action")); n.Data == "form" && form == nil && err == nil && u.Path == action {
			form = n
		}
	})
	return form
}

// alert is the text of the error on the page.
func (p page) alert() (text string) {
	walk(p.doc, func(n *html.Node) {
		if attr(n, "role") == "alert" {
			text = strings.TrimSpace(textOf(n))
		}
	})
	return text
}

func (p page) text() string { return strings.Join(strings.Fields(textOf(p.doc)), " ") }

// field is the value of an input, and whether there is one.
func (p page) field(name string) (value string, ok bool) {
	walk(p.doc, func(n *html.Node) {
		if n.Data == "input" && attr(n, "name") == name && !ok {
			value, ok = attr(n, "value"), true
		}
	})
	return value, ok
}

// is fails the test unless the page has the status and, if given, the words.
func (p page) is(status int, words ...string) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("status %d, want %d: %s %s", p.status, status, p.leaves, p.text())
	}
	for _, w := range words {
		if !strings.Contains(strings.ToLower(p.text()), strings.ToLower(w)) {
			p.t.Fatalf("the page does not say %q: %s", w, p.text())
		}
	}
	return p
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Data == "style" || n.Data == "script" {
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
		b.WriteByte(' ')
	}
	return b.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func parseURL(s string) (*url.URL, error) { return url.Parse(s) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// request is an authorization request and what its client remembers of it.
type request struct {
	client   client
	verifier string
	params   url.Values
}

func (s *server) request(c client, change ...string) request {
	r := request{client: c, verifier: rand.Text() + rand.Text()}
	sum := sha256.Sum256([]byte(r.verifier))
	r.params = url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.RedirectURIs[0]}, "response_type": {"code"}, "scope": {"openid email profile"},
		"state": {rand.Text()}, "nonce": {rand.Text()}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "" {
			r.params.Del(change[i])
		} else {
			r.params.Set(change[i], change[i+1])
		}
	}
	return r
}

func (r request) path() string { return "/oidc/auth?" + r.params.Encode() }

// answer reads the redirect to the client.
func (p page) answer(r request) url.Values {
	p.t.Helper()
	if p.leaves == "" {
		p.t.Fatalf("no redirect to the client but status %d: %s", p.status, p.text())
	}
	want := must(url.Parse(r.params.Get("redirect_uri")))
	got := must(url.Parse(p.leaves))
	if got.Host != want.Host || got.Path != want.Path {
		p.t.Fatalf("redirected to %s, want %s", p.leaves, want)
	}
	q := got.Query()
	for k, v := range want.Query() {
		if q.Get(k) != v[0] {
			p.t.Errorf("the redirect lost %s=%s", k, v[0])
		}
	}
	if q.Get("state") != r.params.Get("state") || q.Get("iss") == "" {
		p.t.Errorf("redirect %s: state and iss are wrong", p.leaves)
	}
	return q
}

// tokens is a token response.
type tokens struct {
	status       int
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
	Code         string `json:"code"`
}

// redeem exchanges a code as the client's server does. It may run in parallel.
func (s *server) redeem(r request, code string) tokens {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.params.Get("redirect_uri")}, "code_verifier": {r.verifier}}
	if r.client.Secret == "" {
		form.Set("client_id", r.client.ID)
	}
	req, _ := http.NewRequest(http.MethodPost, s.endpoint+"/oidc/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.client.Secret != "" {
		req.SetBasicAuth(r.client.ID, r.client.Secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return tokens{Error: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	tok := tokens{status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&tok); err != nil {
		tok.Error = err.Error()
	}
	return tok
}

// userinfo asks /oidc/me.
func (s *server) userinfo(access string) (status int, claims map[string]any) {
	req, _ := http.NewRequest(http.MethodGet, s.endpoint+"/oidc/me", nil)
	req.Header.Set("Authorization", "Bearer "+access)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	_ = json.NewDecoder(resp.Body).Decode(&claims)
	return resp.StatusCode, claims
}
