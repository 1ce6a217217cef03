package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/e2e/rig"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Each step of a sign-in may be another replica's.
func TestSignInAcrossReplicas(t *testing.T) {
	t.Parallel()
	a, b, front := rig.NewReplicas(t)
	a.Run("connector", "set", "inbox")
	a.Start()
	b.Start()
	app := a.NewClient()
	for range 3 { // whatever either of them keeps in memory
		front.Route(a, b)
		v := rig.NewVisitor(t, a)
		r := a.Request(app)
		front.Route(a)
		p := v.Get(r.Path()).Is(200)
		front.Route(b)
		sent := len(b.Inbox("ada@example.com"))
		p = v.Submit(p, "/sign-in", "email", "ada@example.com").Is(200)
		front.Route(a)
		p = v.Submit(p, "/verify", "code", a.Code("ada@example.com", sent+1))
		if p.Leaves == "" { // the first time: no account yet
			front.Route(b)
			p = v.Submit(p.Is(200, "ada@example.com"), "/verify")
		}
		front.Route(b)
		tok := b.Redeem(r, p.Answer(r).Get("code"))
		if tok.Status != 200 {
			t.Fatalf("%+v", tok)
		}
		front.Route(a)
		if status, claims := a.Userinfo(tok.AccessToken); status != 200 || claims["email"] != "ada@example.com" {
			t.Errorf("userinfo: %d %v", status, claims)
		}
		// One issuer, one set of keys: A's keys verify what B signed.
		ctx := context.Background()
		provider := rig.Must(oidc.NewProvider(ctx, a.Endpoint+"/oidc"))
		if _, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: app.ID, SupportedSigningAlgs: []string{"ES256"}}).Verify(ctx, tok.IDToken); err != nil {
			t.Error(err)
		}
		// Signed in at one is signed in at the other; a code redeemed at both dies at both.
		front.Route(b)
		r = a.Request(app)
		code := v.Get(r.Path()).Answer(r).Get("code")
		front.Route(a)
		tok = a.Redeem(r, code)
		front.Route(b)
		if again := b.Redeem(r, code); tok.Status != 200 || again.Error != "invalid_grant" {
			t.Errorf("%+v %+v", tok, again)
		}
		front.Route(a)
		if status, _ := a.Userinfo(tok.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("userinfo after a replay at the other replica: %d", status)
		}
	}
	for _, s := range []*rig.Server{a, b} {
		if status := s.Stop(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	}
}

// Wrong guesses at once at both replicas: together five tries, not five each.
func TestReplicasShareTries(t *testing.T) {
	t.Parallel()
	a, b, front := rig.NewReplicas(t)
	a.Run("connector", "set", "inbox")
	a.Start()
	b.Start()
	v := rig.NewVisitor(t, a)
	r := a.Request(a.NewClient(), "first_screen", "register")
	p := v.Enter(r, "ada@example.com").Is(200)
	code := a.Code("ada@example.com", 1)
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for range 40 {
		wg.Go(func() {
			status := v.Submit(p, "/verify", "code", wrong).Status
			mu.Lock()
			defer mu.Unlock()
			seen[status]++
		})
	}
	wg.Wait()
	if seen[http.StatusUnprocessableEntity] != 4 || seen[http.StatusGone] != 36 {
		t.Errorf("answers %v: want 4 that name the tries left, and 36 that there are none", seen)
	}
	for _, s := range []*rig.Server{a, b} {
		front.Route(s)
		if q := v.Submit(p, "/verify", "code", code); q.Status != http.StatusGone {
			t.Errorf("the right code after the last try: %d %s", q.Status, q.Leaves)
		}
	}
}

// The right code at once at both replicas: one session, one redirect; redeemed
// at once at both: one token set.
func TestReplicasFinishOnce(t *testing.T) {
	t.Parallel()
	a, b, _ := rig.NewReplicas(t)
	a.Run("connector", "set", "inbox")
	a.Start()
	b.Start()
	v := rig.NewVisitor(t, a)
	r := a.Request(a.NewClient(), "first_screen", "register")
	p := v.Enter(r, "ada@example.com").Is(200)
	code := a.Code("ada@example.com", 1)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for range 40 {
		wg.Go(func() {
			answer := v.Submit(p, "/verify", "code", code).Leaves
			mu.Lock()
			defer mu.Unlock()
			seen[answer] = true
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Fatalf("answers %v", seen)
	}
	authCode := v.Submit(p, "/verify", "code", code).Answer(r).Get("code")
	won := 0
	for range 20 {
		wg.Go(func() {
			tok := a.Redeem(r, authCode)
			mu.Lock()
			defer mu.Unlock()
			if tok.Status == 200 {
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
	a, b, front := rig.NewReplicas(t)
	mails := rig.NewSink(t, func(r *http.Request, attempt int) int {
		if attempt == 1 {
			<-r.Context().Done() // until its sender is dead, or gives up
		}
		return http.StatusOK
	})
	a.MailTo(mails.URL)
	app := a.NewClient()
	a.Start()
	b.Start()
	front.Route(a)
	v := rig.NewVisitor(t, a)
	r := a.Request(app, "first_screen", "register")
	p := v.Enter(r, "ada@example.com").Is(200)
	first := mails.Mail("ada@example.com", 1)
	a.Kill()
	killed := time.Now()
	front.Route(b)
	second := mails.Mail("ada@example.com", 2)
	if took := time.Since(killed); took > 40*time.Second {
		t.Errorf("the mail waited for %s", took)
	}
	if second != first {
		t.Errorf("the second attempt is %+v, want %+v", second, first)
	}
	answer := v.Submit(p, "/verify", "code", second.Code).Answer(r)
	if tok := b.Redeem(r, answer.Get("code")); tok.Status != 200 {
		t.Errorf("%+v", tok)
	}
}

// What the command changes, all replicas follow: a new client at once, a removed
// one soon.
func TestReplicasFollowTheCommand(t *testing.T) {
	t.Parallel()
	a, b, front := rig.NewReplicas(t)
	a.Run("connector", "set", "inbox")
	a.Start()
	b.Start()
	replicas := []*rig.Server{a, b}
	ask := func(s *rig.Server, r rig.Request) rig.Page {
		front.Route(s)
		return rig.NewVisitor(t, s).Get(r.Path())
	}
	for range 3 {
		for _, s := range replicas { // a miss, which nobody may keep
			ask(s, a.Request(rig.Client{ID: "nobody00000000000000x", RedirectURIs: []string{rig.Callback}})).Is(http.StatusBadRequest)
		}
		app := b.NewClient()
		for _, s := range replicas {
			ask(s, a.Request(app)).Is(200)
		}
		a.Run("client", "delete", app.ID, "--yes")
		for _, s := range replicas {
			removed := time.Now()
			for asked := removed; ask(s, a.Request(app)).Status != http.StatusBadRequest; asked = time.Now() {
				if asked.Sub(removed) > agreed {
					t.Fatalf("a removed client still works after %s", asked.Sub(removed))
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
	a, _, _ := rig.NewReplicas(t)
	a.Run("connector", "set", "inbox")
	a.Start()
	other := a.Replica("IDP_SECRET=ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=")
	for _, args := range [][]string{{"serve"}, {"client", "list"}} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		cmd := exec.CommandContext(ctx, rig.Binary, args...)
		cmd.Env, cmd.Dir = other.Env, other.Dir
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
	if resp, err := http.Get("http://" + a.Address + "/readyz"); err != nil || resp.StatusCode != 200 {
		t.Error("the one that served is disturbed:", resp, err)
	}
}
