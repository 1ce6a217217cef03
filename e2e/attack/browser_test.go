package attack_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"idp/e2e/rig"
)

// browser is one of the many that an attacker has: cookies of its own, and a network.
type browser struct {
	t       *testing.T
	at      *target
	http    *http.Client
	network string // what its X-Forwarded-For says; "" for none
	header  http.Header
	gate    *gate // of a salvo
	again   int   // how often what is sent was sent before
}

// browser makes a browser in a network where nobody was before.
func (at *target) browser() *browser { return at.browserIn(anywhere()) }

func (at *target) browserIn(network string) *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &browser{t: at.t, at: at, network: network, http: &http.Client{
		Transport: at.http, Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what came back, read to its end.
type answer struct {
	status int
	to     string // where it redirects
	header http.Header
	body   string
	took   time.Duration // to the last byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s %s", a.status, a.to, a.text()) }

func (a answer) text() string {
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		return err.Error()
	}
	var words []string
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// send asks for a page, or posts a form to it. Whatever is sent, the answer is none of a
// server that failed.
func (b *browser) send(target string, form url.Values) answer {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.at.endpoint + target
	}
	method, body := http.MethodGet, io.Reader(nil)
	length := int64(0)
	if form != nil {
		text := form.Encode()
		method, body, length = http.MethodPost, strings.NewReader(text), int64(len(text))
		if b.gate != nil {
			body = io.MultiReader(strings.NewReader(text[:len(text)-1]), b.gate.pass(), strings.NewReader(text[len(text)-1:]))
		}
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		b.t.Error(err)
		return answer{}
	}
	req.ContentLength = length
	for name, values := range b.header {
		req.Header[name] = values
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.at.endpoint)
	}
	if b.network != "" {
		req.Header.Set("X-Forwarded-For", b.network)
	}
	began := time.Now()
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Error(err)
		return answer{}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Error(err)
	}
	a := answer{resp.StatusCode, resp.Header.Get("Location"), resp.Header, string(text), time.Since(began)}
	if resp.Header.Get(rig.Failed) != "" && b.again < 2 {
		// The balancer had no answer: on a busy machine it is late with a head. A browser would show
		// that, and its person try again.
		b.t.Logf("%s %s: the balancer had no answer: %s", method, target, resp.Header.Get(rig.Failed))
		next := *b
		next.again, next.gate = b.again+1, nil
		return next.send(target, form)
	}
	if a.status >= 500 && !(b.at.outage && a.status == http.StatusServiceUnavailable) {
		b.t.Errorf("%s %s answered %s: nothing that a stranger sends may do that", method, target, a)
	}
	return a
}

// form is one of a page, as it would be sent untouched.
type form struct {
	action string
	fields url.Values
}

// form finds the form of a page that posts to a path.
func (a answer) form(t *testing.T, path string) form {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	var f *form
	for n := range doc.Descendants() {
		u, err := url.Parse(attr(n, "action"))
		if n.Data != "form" || f != nil || err != nil || u.Path != path {
			continue
		}
		f = &form{attr(n, "action"), url.Values{}}
		for n := range n.Descendants() {
			if n.Data == "input" && attr(n, "name") != "" && attr(n, "type") != "submit" {
				f.fields.Add(attr(n, "name"), attr(n, "value"))
			}
		}
	}
	if f == nil {
		t.Fatalf("no form that posts to %s: %s", path, a)
	}
	return *f
}

// with is the form's fields with one of them filled in.
func (f form) with(name, value string) url.Values {
	fields := url.Values{}
	for k, v := range f.fields {
		fields[k] = v
	}
	fields.Set(name, value)
	return fields
}

// page is a code page in the browser that asked for the code.
type page struct {
	*browser
	request rig.Request
	email   string
	sent    int // mails that the address had before
	where   string
	verify  form
}

// screens are where a code can be asked for, by what an app says to get there.
var screens = map[string]string{"sign-in": "", "register": "register", "recover": "reset_password"}

// addressForm goes to a page that takes an address.
func (b *browser) addressForm(screen string) (rig.Request, form) {
	b.t.Helper()
	r := b.at.replicas[0].Request(b.at.app, "first_screen", screens[screen], "prompt", "login")
	a := b.send(r.Path(), nil)
	if a.status != http.StatusOK {
		b.t.Fatalf("no address page: %s", a)
	}
	return r, a.form(b.t, "/"+screen)
}

// ask asks for a code to sign in with, and fails the test if there is none to be had.
func (b *browser) ask(email string) page { b.t.Helper(); return b.askAt("sign-in", email) }

func (b *browser) askAt(screen, email string) page {
	b.t.Helper()
	p, a := b.tryAt(screen, email)
	if p == nil {
		b.t.Fatalf("no code page for %s: %s", email, a)
	}
	return *p
}

// tryAt asks for a code and gives the code page, or what was answered in its place.
func (b *browser) tryAt(screen, email string) (*page, answer) {
	b.t.Helper()
	r, f := b.addressForm(screen)
	return b.enter(r, f, email)
}

// askConsole asks for a code to sign in to the console with.
func (b *browser) askConsole(email string) page {
	b.t.Helper()
	a := b.send("/console", nil)
	for hops := 0; a.status == http.StatusSeeOther && hops < 5; hops++ {
		a = b.send(a.to, nil)
	}
	p, a := b.enter(rig.Request{}, a.form(b.t, "/sign-in"), email)
	if p == nil {
		b.t.Fatalf("no code page for %s: %s", email, a)
	}
	return *p
}

// enter sends an address.
func (b *browser) enter(r rig.Request, f form, email string) (*page, answer) {
	b.t.Helper()
	sent := len(b.at.mails.To(email))
	a := b.send(f.action, f.with("email", email))
	if a.status != http.StatusSeeOther {
		return nil, a
	}
	where := a.to
	if a = b.send(where, nil); a.status != http.StatusOK {
		return nil, a
	}
	return &page{b, r, email, sent, where, a.form(b.t, "/verify")}, a
}

// code waits for the n-th mail since the page was asked for (from 1).
func (p page) code(n int) string {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if mails := p.at.mails.To(p.email); len(mails) >= p.sent+n {
			return mails[p.sent+n-1].Code
		}
	}
	p.t.Fatalf("mail %d to %s did not arrive", n, p.email)
	return ""
}

// guess types a code.
func (p page) guess(code string) answer {
	p.t.Helper()
	return p.send(p.verify.action, p.verify.with("code", code))
}

// resend asks for one more code, when it is time.
func (p page) resend() answer {
	p.t.Helper()
	return p.send("/verify/resend", p.verify.with("code", ""))
}

// outcome is what became of a guess, as far as who guessed can tell.
type outcome string

const (
	in      outcome = "in"      // back to the app, or a question whether to make an account
	wrong   outcome = "wrong"   // it was compared
	spent   outcome = "spent"   // the challenge takes no more; the guess that ended it was compared
	limited outcome = "limited" // not compared
	nothing outcome = "nothing" // no such challenge in this browser
)

func (a answer) outcome() outcome {
	switch {
	case a.status == http.StatusSeeOther && strings.HasPrefix(a.to, rig.Callback+"&code="), a.status == http.StatusOK:
		return in
	case a.status == http.StatusUnprocessableEntity:
		return wrong
	case a.status == http.StatusGone:
		return spent
	case a.status == http.StatusTooManyRequests:
		return limited
	case a.status == http.StatusBadRequest:
		return nothing
	}
	return outcome(a.String())
}

// authorizationCode is the code of the redirect to the app.
func (a answer) authorizationCode(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(a.to)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no authorization code: %s", a)
	}
	return u.Query().Get("code")
}

// gate holds the last byte of each request of a salvo back until all have come so far, so that
// neither connecting nor what came before sets them apart: the sharpest way to race.
type gate struct {
	left atomic.Int64
	open chan struct{}
}

type waiting struct{ *gate }

func (g *gate) pass() io.Reader { return waiting{g} }

func (w waiting) Read([]byte) (int, error) {
	if w.left.Add(-1) == 0 {
		close(w.open)
	}
	<-w.open
	return 0, io.EOF
}

// salvo types n codes at the same moment, on any of the pages.
func salvo(n int, pages []page, code func(i int) string) []answer {
	g := &gate{open: make(chan struct{})}
	g.left.Store(int64(n))
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			p := pages[i%len(pages)]
			b := *p.browser
			b.gate, p.browser = g, &b
			answers[i] = p.guess(code(i))
		})
	}
	wg.Wait()
	return answers
}

// outcomes counts what became of the guesses.
func outcomes(answers []answer) map[outcome]int {
	seen := map[outcome]int{}
	for _, a := range answers {
		seen[a.outcome()]++
	}
	return seen
}
