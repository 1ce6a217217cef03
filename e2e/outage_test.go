package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/e2e/rig"
)

// journey is people in the middle of everything when the database goes away.
type journey struct {
	t       *testing.T
	s       *rig.Server
	app     rig.Client
	in      *rig.Visitor // signed in
	typing  rig.Page     // a stranger's address page
	stuck   *rig.Visitor // whose code is on the way
	code    rig.Page     // stuck's code page
	r       rig.Request  // stuck's
	redeem  rig.Request
	unspent string // code of redeem
	access  string
}

func newJourney(t *testing.T, s *rig.Server) *journey {
	t.Helper()
	j := &journey{t: t, s: s, app: s.NewClient(), in: rig.NewVisitor(t, s), stuck: rig.NewVisitor(t, s)}
	r := s.Request(j.app)
	j.access = s.Redeem(r, j.in.SignUp(r, "in@example.com").Get("code")).AccessToken
	j.redeem = s.Request(j.app)
	j.unspent = j.in.Get(j.redeem.Path()).Answer(j.redeem).Get("code")
	j.r = s.Request(j.app, "first_screen", "register")
	j.code = j.stuck.Enter(j.r, "stuck@example.com").Is(200)
	j.typing = j.in.Get(s.Request(j.app, "prompt", "login").Path()).Is(200)
	j.in.Outage, j.stuck.Outage = true, true
	return j
}

// unavailable fails the test unless a page says to come back.
func (j *journey) unavailable(what string, p rig.Page) {
	j.t.Helper()
	if p.Status != http.StatusServiceUnavailable || p.Header.Get("Retry-After") == "" || !strings.Contains(p.Header.Get("Content-Type"), "text/html") {
		j.t.Errorf("%s without a database: %d %v, want a page with 503 and Retry-After\n%s", what, p.Status, p.Header, p.Text())
	}
}

// api calls a program's address and gives the status and the error in the JSON.
func (j *journey) api(method, path string, form url.Values, header ...string) (status int, code string) {
	j.t.Helper()
	req, err := http.NewRequest(method, "http://"+j.s.Address+path, strings.NewReader(form.Encode()))
	if err != nil {
		j.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{Timeout: 40 * time.Second}).Do(req)
	if err != nil {
		j.t.Errorf("%s %s: %v", method, path, err)
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	var body struct{ Error string }
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		j.t.Errorf("%s %s: no JSON: %v", method, path, err)
	}
	return resp.StatusCode, body.Error
}

// away asks for everything at once while the database is away and checks the
// answers; none may take longer than within.
func (j *journey) away(within time.Duration, stuckCode string) {
	j.t.Helper()
	var wg sync.WaitGroup
	check := func(what string, limit time.Duration, ask func()) {
		wg.Go(func() {
			began := time.Now()
			ask()
			took := time.Since(began)
			j.t.Logf("%s: %s", what, took.Round(time.Millisecond))
			if took > limit {
				j.t.Errorf("%s was answered after %s, want %s", what, took, limit)
			}
		})
	}
	check("GET /oidc/auth", within, func() { j.unavailable("GET /oidc/auth", j.in.Get(j.s.Request(j.app).Path())) })
	check("POST /sign-in", within, func() {
		j.unavailable("POST /sign-in", j.in.Submit(j.typing, "/sign-in", "email", "other@example.com"))
	})
	if stuckCode != "" {
		check("POST /verify", within, func() { j.unavailable("POST /verify", j.stuck.Submit(j.code, "/verify", "code", stuckCode)) })
	}
	check("POST /oidc/token", within, func() {
		tok := j.s.Redeem(j.redeem, j.unspent)
		if tok.Status != http.StatusServiceUnavailable || tok.Error != "temporarily_unavailable" {
			j.t.Errorf("token without a database: %+v", tok)
		}
	})
	check("GET /oidc/me", within, func() {
		status, code := j.api(http.MethodGet, "/oidc/me", nil, "Authorization", "Bearer "+j.access)
		if status != http.StatusServiceUnavailable || code != "temporarily_unavailable" {
			j.t.Errorf("userinfo without a database: %d %s", status, code)
		}
	})
	// Whoever waits for the database waits for 5 s at least.
	const alone = 4 * time.Second
	check("GET /healthz", alone, func() {
		if status, _ := j.api(http.MethodGet, "/healthz", nil); status != 200 {
			j.t.Errorf("healthz: %d", status)
		}
	})
	check("GET /readyz", 10*time.Second, func() {
		time.Sleep(1100 * time.Millisecond) // what it learnt is good for a second
		if status, _ := j.api(http.MethodGet, "/readyz", nil); status != http.StatusServiceUnavailable {
			j.t.Errorf("readyz: %d", status)
		}
	})
	for _, path := range []string{"/oidc/jwks", "/oidc/.well-known/openid-configuration"} {
		check("GET "+path, alone, func() {
			if status, _ := j.api(http.MethodGet, path, nil); status != 200 {
				j.t.Errorf("%s: %d", path, status)
			}
		})
	}
	wg.Wait()
}

// back checks that everything goes on where it stood, in the same process, with
// no request failing any more.
func (j *journey) back(stuckCode string) {
	j.t.Helper()
	defer func() {
		if j.t.Failed() {
			log := j.s.Log.String()
			j.t.Logf("the end of the log:\n%s", log[max(0, len(log)-4000):])
		}
	}()
	began := time.Now()
	j.in.Outage, j.stuck.Outage = false, false
	j.typing = j.in.Submit(j.typing, "/sign-in", "email", "after@example.com").Is(200)
	if tok := j.s.Redeem(j.redeem, j.unspent); tok.Status != 200 {
		j.t.Errorf("the code from before the outage: %+v", tok)
	}
	if status, _ := j.s.Userinfo(j.access); status != 200 {
		j.t.Errorf("userinfo after the outage: %d", status)
	}
	answer := j.stuck.Submit(j.code, "/verify", "code", stuckCode).Answer(j.r)
	if tok := j.s.Redeem(j.r, answer.Get("code")); tok.Status != 200 {
		j.t.Errorf("the sign-in that was stuck: %+v", tok)
	}
	r := j.s.Request(j.app)
	if j.in.Get(r.Path()).Answer(r).Get("code") == "" {
		j.t.Error("no single sign-on after the outage")
	}
	if took := time.Since(began); took > 10*time.Second {
		j.t.Errorf("the first requests after the outage took %s", took)
	}
	j.s.Code("after@example.com", 1)
	j.t.Logf("all is well after %s, with the mail", time.Since(began).Round(time.Millisecond))
	if status, _ := j.api(http.MethodGet, "/readyz", nil); status != 200 {
		j.t.Errorf("readyz after the outage: %d", status)
	}
	select {
	case <-j.s.Exited:
		j.t.Error("the server ended")
	default:
	}
	began = time.Now()
	if status := j.s.Stop(); status != 0 {
		j.t.Errorf("exit status %d", status)
	}
	j.t.Logf("stopped after %s", time.Since(began).Round(time.Millisecond))
}

// The database stops and starts again.
func TestDatabaseCut(t *testing.T) {
	t.Parallel()
	s, w := rig.NewWired(t)
	s.Start()
	j := newJourney(t, s)
	code := s.Code("stuck@example.com", 1)
	w.Set(rig.Cut)
	j.away(10*time.Second, code)
	j.away(10*time.Second, code)
	// Somebody new: the client is remembered for a few seconds, then there is no page.
	stranger := rig.NewVisitor(t, s)
	stranger.Outage = true
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if p := stranger.Get(s.Request(j.app).Path()); p.Status != 200 {
			j.unavailable("GET /oidc/auth of a stranger", p)
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a page without a database, 15 s after it went away")
		}
	}
	w.Set(rig.Sound)
	j.back(code)
}

// The network swallows what is sent, and says nothing: requests end anyway, and
// the connections that lost bytes are in nobody's way afterwards.
func TestDatabaseSilent(t *testing.T) {
	t.Parallel()
	s, w := rig.NewWired(t)
	s.Start()
	j := newJourney(t, s)
	code := s.Code("stuck@example.com", 1)
	var crowd sync.WaitGroup
	come := func() {
		for range 40 { // more than there are connections
			crowd.Go(func() { j.in.Get(s.Request(j.app).Path()) })
		}
	}
	come() // opens all connections
	crowd.Wait()
	w.Set(rig.Silent)
	come()
	j.away(silence, code)
	crowd.Wait()
	time.Sleep(2 * time.Second) // the driver is still parting from the connections that timed out
	w.Set(rig.Sound)
	j.back(code)
}

// silence is how long a request may wait for a database that says nothing.
const silence = 20 * time.Second

// The database stands still and then goes on: it does late what it was told, also
// what the visitor was told had failed. The same form sent again finds its way.
func TestDatabaseFrozen(t *testing.T) {
	t.Parallel()
	s, w := rig.NewWired(t)
	s.Start()
	j := newJourney(t, s)
	code := s.Code("stuck@example.com", 1)
	w.Set(rig.Frozen)
	p := make(chan rig.Page)
	go func() { p <- j.stuck.Submit(j.code, "/verify", "code", code) }()
	select {
	case q := <-p:
		j.unavailable("POST /verify", q)
	case <-time.After(silence):
		t.Errorf("POST /verify was not answered within %s", silence)
	}
	w.Set(rig.Sound)
	time.Sleep(500 * time.Millisecond) // what was sent arrives
	j.back(code)
}

// A server that starts before its database waits for it.
func TestStartsBeforeItsDatabase(t *testing.T) {
	t.Parallel()
	s, w := rig.NewWired(t)
	w.Set(rig.Cut)
	time.AfterFunc(2*time.Second, func() { w.Set(rig.Sound) })
	s.Start()
	r := s.Request(s.NewClient())
	rig.NewVisitor(t, s).SignUp(r, "ada@example.com")
}
