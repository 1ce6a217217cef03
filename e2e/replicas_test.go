package e2e_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// balancer stands at the endpoint and gives each request to the next of its
// replicas.
type balancer struct {
	mu   sync.Mutex
	to   []*server
	next int
}

// route makes the balancer use these replicas from the next request on.
func (b *balancer) route(replicas ...*server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to, b.next = replicas, 0
}

func (b *balancer) pick() *url.URL {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.to[b.next%len(b.to)]
	b.next++
	return &url.URL{Scheme: "http", Host: s.address}
}

// newReplicas prepares two servers on one Postgres behind one endpoint. They are
// not started, and have no connector.
func newReplicas(t *testing.T, env ...string) (a, b *server, front *balancer) {
	t.Helper()
	a = install(t, "postgres", env...)
	ln, err := net.Listen("tcp", a.address)
	if err != nil {
		t.Fatal(err)
	}
	front = &balancer{}
	proxy := &http.Server{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(front.pick())
		r.Out.Host = r.In.Host
	}}}
	go func() { _ = proxy.Serve(ln) }()
	t.Cleanup(func() { _ = proxy.Close() })
	b = a.replica()
	a.address = freeAddr(t)
	a.env = append(a.env, "IDP_LISTEN="+a.address)
	front.route(a, b)
	return a, b, front
}

// replica is another process on the same database, with a folder of its own.
func (s *server) replica(env ...string) *server {
	r := &server{t: s.t, dir: s.t.TempDir(), endpoint: s.endpoint, database: s.database, engine: s.engine, address: freeAddr(s.t)}
	r.env = append(append([]string{}, s.env...), "IDP_LISTEN="+r.address, "IDP_DATA_DIR="+r.dir)
	r.env = append(r.env, env...)
	return r
}

// Each step of a sign-in may be another replica's.
func TestSignInAcrossReplicas(t *testing.T) {
	t.Parallel()
	a, b, front := newReplicas(t)
	a.run("connector", "set", "inbox")
	a.start()
	b.start()
	app := a.newClient()
	for range 3 { // whatever either of them keeps in memory
		front.route(a, b)
		v := newVisitor(t, a)
		r := a.request(app)
		front.route(a)
		p := v.get(r.path()).is(200)
		front.route(b)
		sent := len(b.inbox("ada@example.com"))
		p = v.submit(p, "/sign-in", "email", "ada@example.com").is(200)
		front.route(a)
		p = v.submit(p, "/verify", "code", a.code("ada@example.com", sent+1))
		if p.leaves == "" { // the first time: no account yet
			front.route(b)
			p = v.submit(p.is(200, "ada@example.com"), "/verify")
		}
		front.route(b)
		tok := b.redeem(r, p.answer(r).Get("code"))
		if tok.status != 200 {
			t.Fatalf("%+v", tok)
		}
		front.route(a)
		if status, claims := a.userinfo(tok.AccessToken); status != 200 || claims["email"] != "ada@example.com" {
			t.Errorf("userinfo: %d %v", status, claims)
		}
		// One issuer, one set of keys: A's keys verify what B signed.
		ctx := context.Background()
		provider := must(oidc.NewProvider(ctx, a.endpoint+"/oidc"))
		if _, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: app.ID, SupportedSigningAlgs: []string{"ES256"}}).Verify(ctx, tok.IDToken); err != nil {
			t.Error(err)
		}
		// Signed in at one is signed in at the other; a code redeemed at both dies at both.
		front.route(b)
		r = a.request(app)
		code := v.get(r.path()).answer(r).Get("code")
		front.route(a)
		tok = a.redeem(r, code)
		front.route(b)
		if again := b.redeem(r, code); tok.status != 200 || again.Error != "invalid_grant" {
			t.Errorf("%+v %+v", tok, again)
		}
		front.route(a)
		if status, _ := a.userinfo(tok.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("userinfo after a replay at the other replica: %d", status)
		}
	}
	for _, s := range []*server{a, b} {
		if status := s.stop(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	}
}

// Wrong guesses at once at both replicas: together five tries, not five each.
func TestReplicasShareTries(t *testing.T) {
	t.Parallel()
	a, b, front := newReplicas(t)
	a.run("connector", "set", "inbox")
	a.start()
	b.start()
	v := newVisitor(t, a)
	r := a.request(a.newClient(), "first_screen", "register")
	p := v.enter(r, "ada@example.com").is(200)
	code := a.code("ada@example.com", 1)
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for range 40 {
		wg.Go(func() {
			status := v.submit(p, "/verify", "code", wrong).status
			mu.Lock()
			defer mu.Unlock()
			seen[status]++
		})
	}
	wg.Wait()
	if seen[http.StatusUnprocessableEntity] != 4 || seen[http.StatusGone] != 36 {
		t.Errorf("answers %v: want 4 that name the tries left, and 36 that there are none", seen)
	}
	for _, s := range []*server{a, b} {
		front.route(s)
		if q := v.submit(p, "/verify", "code", code); q.status != http.StatusGone {
			t.Errorf("the right code after the last try: %d %s", q.status, q.leaves)
		}
	}
}

// The right code at once at both replicas: one session, one redirect; redeemed
// at once at both: one token set.
func TestReplicasFinishOnce(t *testing.T) {
	t.Parallel()
	a, b, _ := newReplicas(t)
	a.run("connector", "set", "inbox")
	a.start()
	b.start()
	v := newVisitor(t, a)
	r := a.request(a.newClient(), "first_screen", "register")
	p := v.enter(r, "ada@example.com").is(200)
	code := a.code("ada@example.com", 1)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for range 40 {
		wg.Go(func() {
			answer := v.submit(p, "/verify", "code", code).leaves
			mu.Lock()
			defer mu.Unlock()
			seen[answer] = true
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Fatalf("answers %v", seen)
	}
	authCode := v.submit(p, "/verify", "code", code).answer(r).Get("code")
	won := 0
	for range 20 {
		wg.Go(func() {
			tok := a.redeem(r, authCode)
			mu.Lock()
			defer mu.Unlock()
			if tok.status == 200 {
				won++
			} else if tok.Error != "invalid_grant" {
				t.Errorf("%+v", tok)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d token sets, want 1", won)
	}
}

// A replica dies with a mail in its hands: the other one sends it when the lease
// ends (30 s), and its code works.
func TestMailOutlivesItsReplica(t *testing.T) {
	t.Parallel()
	a, b, front := newReplicas(t)
	mails := newSink(t, func(r *http.Request, attempt int) int {
		if attempt == 1 {
			<-r.Context().Done() // until its sender is dead, or gives up
		}
		return http.StatusOK
	})
	a.mailTo(mails.URL)
	app := a.newClient()
	a.start()
	b.start()
	front.route(a)
	v := newVisitor(t, a)
	r := a.request(app, "first_screen", "register")
	p := v.enter(r, "ada@example.com").is(200)
	first := mails.mail("ada@example.com", 1)
	a.kill()
	killed := time.Now()
	front.route(b)
	second := mails.mail("ada@example.com", 2)
	if took := time.Since(killed); took > 40*time.Second {
		t.Errorf("the mail waited for %s", took)
	}
	if second != first {
		t.Errorf("the second attempt is %+v, want %+v", second, first)
	}
	answer := v.submit(p, "/verify", "code", second.Code).answer(r)
	if tok := b.redeem(r, answer.Get("code")); tok.status != 200 {
		t.Errorf("%+v", tok)
	}
}

// What the command changes, all replicas follow: a new client at once, a removed
// one within the second that caches live.
func TestReplicasFollowTheCommand(t *testing.T) {
	t.Parallel()
	a, b, front := newReplicas(t)
	a.run("connector", "set", "inbox")
	a.start()
	b.start()
	replicas := []*server{a, b}
	ask := func(s *server, r request) page {
		front.route(s)
		return newVisitor(t, s).get(r.path())
	}
	for range 3 {
		for _, s := range replicas { // a miss, which nobody may keep
			ask(s, a.request(client{ID: "nobody00000000000000x", RedirectURIs: []string{callback}})).is(http.StatusBadRequest)
		}
		app := b.newClient()
		for _, s := range replicas {
			ask(s, a.request(app)).is(200)
		}
		a.run("client", "delete", app.ID, "--yes")
		for _, s := range replicas {
			deadline := time.Now().Add(3 * time.Second)
			for ask(s, a.request(app)).status != http.StatusBadRequest {
				if time.Now().After(deadline) {
					t.Fatal("a removed client still works after 3 s")
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
}

// A process that has another secret would make codes that no other one accepts:
// it does not start, and neither does a command.
func TestReplicaWithAnotherSecret(t *testing.T) {
	t.Parallel()
	a, _, _ := newReplicas(t)
	a.run("connector", "set", "inbox")
	a.start()
	other := a.replica("IDP_SECRET=ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=")
	for _, args := range [][]string{{"serve"}, {"client", "list"}} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Env, cmd.Dir = other.env, other.dir
		out, err := cmd.CombinedOutput()
		cancel()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("idp %v with another secret: %v, want exit status 2", args, err)
		}
		for _, want := range []string{"the instance secret is not the one this database was made with", "IDP_SECRET_PREVIOUS"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("idp %v does not say %q:\n%s", args, want, out)
			}
		}
	}
	if resp, err := http.Get("http://" + a.address + "/readyz"); err != nil || resp.StatusCode != 200 {
		t.Error("the one that served is disturbed:", resp, err)
	}
}
