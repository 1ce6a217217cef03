//go:build chaos

package chaos_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/e2e/rig"
)

// patience is how long a person goes on trying one step.
const patience = 60 * time.Second

// The steps of a sign-in, in order.
const (
	authorize = "authorize"
	address   = "address"
	verify    = "verify"
	token     = "token"
	userinfo  = "userinfo"
	refresh   = "refresh"
)

var steps = []string{authorize, address, verify, token, userinfo, refresh}

// crowd are people who sign in, one after the other, and what became of it.
type crowd struct {
	t     *testing.T
	s     *rig.Server
	app   rig.Client
	mails *rig.Sink

	stop chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex
	n      int
	tally  tally
	told   int // how much of what went wrong is in a verdict
	people []*person
}

// tally counts answers.
type tally struct {
	SignIns     int      `json:"signIns"`     // from the authorization request to a refreshed token
	Requests    int      `json:"requests"`    // all that were answered
	Unavailable int      `json:"unavailable"` // 503 with Retry-After
	Lost        int      `json:"lost"`        // no answer: the process or its connection was gone
	Again       int      `json:"again"`       // an answer got lost, and the client had to ask for another code, silently
	Wrong       []string `json:"wrong"`       // any other answer
}

// person is somebody with what was acknowledged.
type person struct {
	*rig.Visitor
	email   string
	at      func(step string) // told before each step, may be nil
	took    map[string]time.Duration
	done    map[string]time.Time
	session bool // a redirect with a code was seen
	access  string
	refresh string
	id      string // ID token
}

// newCrowd sets an installation up for a crowd: mails go to a sink, and limits are for thousands.
func newCrowd(t *testing.T, s *rig.Server) *crowd {
	t.Helper()
	c := &crowd{t: t, s: s, mails: rig.NewSink(t, nil), stop: make(chan struct{})}
	s.MailTo(c.mails.URL)
	return c
}

// register makes the app that the crowd signs in to.
func (c *crowd) register() { c.app = c.s.Lasting("spa") }

// wide are limits that a crowd at one address does not meet.
var wide = []string{"IDP_LIMIT_IP_SENDS=100000/h", "IDP_LIMIT_IP_PROOF=off", "IDP_LIMIT_IP_GUESSES=100000/h", "IDP_LIMIT_RECIPIENT_SENDS=1000/h", "IDP_LIMIT_UNKNOWN_SENDS=1000/h"}

// come has so many people at a time sign in, until leave.
func (c *crowd) come(people int) {
	for range people {
		c.wg.Go(func() {
			for {
				select {
				case <-c.stop:
					return
				default:
				}
				c.signIn(c.person(nil))
			}
		})
	}
}

// leave waits for those who are in the middle of it.
func (c *crowd) leave() {
	close(c.stop)
	c.wg.Wait()
	c.stop = make(chan struct{})
}

// count gives the numbers so far.
func (c *crowd) count() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.tally
	out.Wrong = slices.Clone(out.Wrong)
	return out
}

// since gives the numbers since an earlier count.
func (c *crowd) since(before tally) tally {
	now := c.count()
	now.SignIns -= before.SignIns
	now.Requests -= before.Requests
	now.Unavailable -= before.Unavailable
	now.Lost -= before.Lost
	now.Again -= before.Again
	now.Wrong = now.Wrong[len(before.Wrong):]
	return now
}

// until waits until the crowd has finished so many more sign-ins.
func (c *crowd) until(more int) {
	c.t.Helper()
	want := c.count().SignIns + more
	for end := time.Now().Add(patience); c.count().SignIns < want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("%d of %d sign-ins after %s: %+v", c.count().SignIns-want+more, more, patience, c.count())
		}
	}
}

func (c *crowd) person(at func(string)) *person {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	p := &person{Visitor: rig.NewVisitor(c.t, c.s), email: fmt.Sprintf("p%d@example.com", c.n), at: at, took: map[string]time.Duration{}, done: map[string]time.Time{}}
	p.HTTP.Timeout = 40 * time.Second
	c.people = append(c.people, p)
	return p
}

func (c *crowd) wrong(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.Wrong = append(c.tally.Wrong, time.Now().UTC().Format("15:04:05.000 ")+err.Error())
	return err
}

// ask sends a request until there is an answer other than "come again"; repeated tells
// whether an earlier answer got lost or was that.
func (c *crowd) ask(p *person, step, method, target string, form url.Values, header ...string) (page rig.Page, repeated bool, err error) {
	if p.at != nil {
		p.at(step)
		p.at = cut(p.at, step)
	}
	began := time.Now()
	defer func() { p.took[step], p.done[step] = time.Since(began), time.Now() }()
	for time.Since(began) < patience {
		page, err = p.Try(method, target, form, header...)
		c.mu.Lock()
		switch {
		case err != nil || page.Header.Get(rig.Failed) != "":
			c.tally.Lost++
		case page.Status == http.StatusServiceUnavailable:
			c.tally.Unavailable++
		default:
			c.tally.Requests++
		}
		c.mu.Unlock()
		switch {
		case err != nil || page.Header.Get(rig.Failed) != "":
		case page.Status == http.StatusServiceUnavailable && page.Header.Get("Retry-After") == "":
			return page, repeated, c.wrong("%s: 503 without Retry-After", step)
		case page.Status == http.StatusServiceUnavailable:
		case page.Status >= 500:
			return page, repeated, c.wrong("%s: status %d: %s", step, page.Status, page.Text())
		default:
			return page, repeated, nil
		}
		repeated = true
		time.Sleep(50 * time.Millisecond)
	}
	return page, repeated, c.wrong("%s: nothing but errors for %s (%d, %v)", step, patience, page.Status, err)
}

// cut makes a hook forget a step, which may come twice.
func cut(at func(string), done string) func(string) {
	return func(step string) {
		if step != done {
			at(step)
		}
	}
}

// begin goes to the page that asks for the code.
func (c *crowd) begin(p *person) (r rig.Request, page rig.Page, err error) {
	r = c.s.Request(c.app, "scope", rig.Offline, "first_screen", "register")
	if page, _, err = c.ask(p, authorize, http.MethodGet, r.Path(), nil); err != nil {
		return r, page, err
	}
	target, form := page.Fill("/register", "email", p.email)
	if target == "" {
		return r, page, c.wrong("authorize: status %d without a form: %s", page.Status, page.Text())
	}
	if page, _, err = c.ask(p, address, http.MethodPost, target, form); err != nil {
		return r, page, err
	}
	if page.Form("/verify") == nil {
		return r, page, c.wrong("address: status %d without a form for the code: %s", page.Status, page.Text())
	}
	return r, page, nil
}

// signIn goes the whole way. What is not as it should be is counted as wrong.
func (c *crowd) signIn(p *person) error {
	r, page, err := c.begin(p)
	if err != nil {
		return err
	}
	code, err := c.code(p.email)
	if err != nil {
		return err
	}
	return c.finish(p, r, page, code)
}

// finish goes from the page that asks for the code to a refreshed token.
func (c *crowd) finish(p *person, r rig.Request, page rig.Page, code string) error {
	target, form := page.Fill("/verify", "code", code)
	page, _, err := c.ask(p, verify, http.MethodPost, target, form)
	if err != nil {
		return err
	}
	authCode := answer(page)
	if authCode == "" {
		return c.wrong("verify: status %d and no code for the app: %s %s", page.Status, page.Leaves, page.Text())
	}
	c.mu.Lock()
	p.session = true
	c.mu.Unlock()
	if err := c.tokens(p, r, authCode, token); err != nil {
		return err
	}
	if page, _, err = c.ask(p, userinfo, http.MethodGet, "/oidc/me", nil, "Authorization", "Bearer "+p.access); err != nil {
		return err
	}
	if page.Status != http.StatusOK || !strings.Contains(page.Body, p.email) {
		return c.wrong("userinfo: status %d: %s", page.Status, page.Body)
	}
	if err := c.renew(p); err != nil {
		return err
	}
	c.mu.Lock()
	c.tally.SignIns++
	c.mu.Unlock()
	return nil
}

// code waits for the mail. One that was in the hands of a process that was killed comes when its
// lease of 30 s is over, and a clock that catches up is slower.
func (c *crowd) code(email string) (string, error) {
	for end := time.Now().Add(2 * patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if came := c.mails.Came(email); len(came) > 0 {
			return came[0].Code, nil
		}
	}
	return "", c.wrong("mail: none came to %s for %s", email, 2*patience)
}

// answer is the authorization code that a page leaves with.
func answer(p rig.Page) string {
	u, err := url.Parse(p.Leaves)
	if err != nil {
		return ""
	}
	return u.Query().Get("code")
}

// tokens redeems a code. One whose answer got lost is used up: its client asks for another
// one, which the session gives without a question.
func (c *crowd) tokens(p *person, r rig.Request, code, step string) error {
	page, repeated, err := c.ask(p, step, http.MethodPost, "/oidc/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {c.app.ID},
		"code": {code}, "redirect_uri": {r.Params.Get("redirect_uri")}, "code_verifier": {r.Verifier}})
	if err != nil {
		return err
	}
	var tok rig.Tokens
	_ = json.Unmarshal([]byte(page.Body), &tok) // what is no JSON has no token
	if page.Status == http.StatusBadRequest && tok.Error == "invalid_grant" && repeated {
		c.mu.Lock()
		c.tally.Again++
		c.mu.Unlock()
		r, code, err := c.silently(p)
		if err != nil {
			return err
		}
		return c.tokens(p, r, code, step)
	}
	if page.Status != http.StatusOK || tok.AccessToken == "" || tok.RefreshToken == "" {
		return c.wrong("%s: status %d: %s", step, page.Status, page.Body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.access, p.refresh, p.id = tok.AccessToken, tok.RefreshToken, tok.IDToken
	return nil
}

// silently gets a code by the session alone.
func (c *crowd) silently(p *person) (rig.Request, string, error) {
	r := c.s.Request(c.app, "scope", rig.Offline, "prompt", "none")
	page, _, err := c.ask(p, "session", http.MethodGet, r.Path(), nil)
	if err != nil {
		return r, "", err
	}
	code := answer(page)
	if code == "" {
		return r, "", c.wrong("session: no code by it: %d %s", page.Status, page.Leaves)
	}
	return r, code, nil
}

// renew uses the refresh token.
func (c *crowd) renew(p *person) error {
	page, repeated, err := c.ask(p, refresh, http.MethodPost, "/oidc/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {c.app.ID}, "refresh_token": {p.refresh}})
	if err != nil {
		return err
	}
	var tok rig.Tokens
	_ = json.Unmarshal([]byte(page.Body), &tok)
	// A lost answer is repeated for 10 s; later its token counts as stolen.
	if page.Status == http.StatusBadRequest && tok.Error == "invalid_grant" && repeated && p.took[refresh] > 10*time.Second {
		c.mu.Lock()
		c.tally.Again++
		c.mu.Unlock()
		r, code, err := c.silently(p)
		if err != nil {
			return err
		}
		return c.tokens(p, r, code, token)
	}
	if page.Status != http.StatusOK || tok.AccessToken == "" || tok.RefreshToken == "" {
		return c.wrong("refresh: status %d: %s", page.Status, page.Body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.access, p.refresh = tok.AccessToken, tok.RefreshToken
	return nil
}
