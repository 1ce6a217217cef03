package rig

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Visitor is a browser without JavaScript: cookies, links, forms.
type Visitor struct {
	t      *testing.T
	Server *Server
	HTTP   *http.Client
	Outage bool // the database is away: 503 is an answer
}

// NewVisitor makes a browser without cookies.
func NewVisitor(t *testing.T, s *Server) *Visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &Visitor{t: t, Server: s}
	v.HTTP = &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(req.URL.String(), s.Endpoint+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return v
}

// Request is an authorization request and what its client remembers of it.
type Request struct {
	Client   Client
	Verifier string
	Params   url.Values
}

// Enter goes from the app to the code page: authorize, type the address.
func (v *Visitor) Enter(r Request, email string) Page {
	v.t.Helper()
	p := v.Get(r.Path()).Is(200)
	action := "/sign-in"
	switch {
	case r.Params.Get("first_screen") == "reset_password":
		action = "/recover"
	case p.Form(action) == nil || r.Params.Get("first_screen") == "register":
		action = "/register"
	}
	return v.Submit(p, action, "email", email)
}

// SignUp makes an account and gives the answer to the client.
func (v *Visitor) SignUp(r Request, email string) url.Values {
	v.t.Helper()
	r.Params.Set("first_screen", "register")
	n := len(v.Server.Inbox(email))
	p := v.Enter(r, email).Is(200)
	return v.Submit(p, "/verify", "code", v.Server.Code(email, n+1)).Answer(r)
}

// Own signs in to the account page.
func (v *Visitor) Own(email string) Page {
	v.t.Helper()
	n := len(v.Server.Inbox(email))
	p := v.Submit(v.Get("/register").Is(200), "/register", "email", email)
	p = v.Submit(p, "/verify", "code", v.Server.Code(email, n+1))
	if p.Form("/verify") != nil { // it exists: sign in to it instead
		v.Submit(p, "/verify")
	}
	return v.Get("/account").Is(200, email)
}

// Do asks for a page. No answer fails the test, and so does one that says that the server failed.
func (v *Visitor) Do(method, target string, form url.Values, header ...string) Page {
	v.t.Helper()
	p, err := v.Try(method, target, form, header...)
	if err != nil {
		v.t.Fatal(err)
	}
	if p.Status >= 500 && !(v.Outage && p.Status == http.StatusServiceUnavailable) {
		v.t.Errorf("%s %s answered %d: nothing that a stranger sends may do that\n%s", method, p.URL, p.Status, p.Text())
	}
	return p
}

// Try asks for a page; whatever the answer is, none is an error.
func (v *Visitor) Try(method, target string, form url.Values, header ...string) (Page, error) {
	if strings.HasPrefix(target, "/") {
		target = v.Server.Endpoint + target
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		return Page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", v.Server.Endpoint)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := v.HTTP.Do(req)
	if err != nil {
		return Page{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return Page{}, err
	}
	p := Page{t: v.t, Status: resp.StatusCode, Header: resp.Header, URL: resp.Request.URL, Body: string(text)}
	if resp.StatusCode/100 == 3 {
		p.Leaves = resp.Header.Get("Location")
	}
	p.doc, err = html.Parse(strings.NewReader(p.Body))
	return p, err
}

// Get opens a page.
func (v *Visitor) Get(target string) Page { v.t.Helper(); return v.Do(http.MethodGet, target, nil) }

// Submit sends the page's form that posts to action, with its hidden fields and
// the given ones.
func (v *Visitor) Submit(p Page, action string, fields ...string) Page {
	v.t.Helper()
	target, values := p.Fill(action, fields...)
	if target == "" {
		v.t.Fatalf("the page has no form that posts to %s:\n%s", action, p.Text())
	}
	return v.Do(http.MethodPost, target, values)
}

// Fill gives what a browser would send of the page's form that posts to action, and where
// to; "" if there is none.
func (p Page) Fill(action string, fields ...string) (target string, values url.Values) {
	f := p.Form(action)
	if f == nil {
		return "", nil
	}
	values = url.Values{}
	walk(f, func(n *html.Node) {
		if n.Data == "input" && attr(n, "name") != "" && attr(n, "type") != "submit" {
			values.Add(attr(n, "name"), attr(n, "value"))
		}
	})
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return p.URL.ResolveReference(Must(url.Parse(attr(f, "action")))).String(), values
}

// Request makes an authorization request; change is names and values of parameters, "" for none.
func (s *Server) Request(c Client, change ...string) Request {
	r := Request{Client: c, Verifier: rand.Text() + rand.Text()}
	sum := sha256.Sum256([]byte(r.Verifier))
	r.Params = url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.RedirectURIs[0]}, "response_type": {"code"}, "scope": {"openid email profile"},
		"state": {rand.Text()}, "nonce": {rand.Text()}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "" {
			r.Params.Del(change[i])
		} else {
			r.Params.Set(change[i], change[i+1])
		}
	}
	return r
}

// Path is where the app sends the browser.
func (r Request) Path() string { return "/oidc/auth?" + r.Params.Encode() }
