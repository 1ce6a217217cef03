package turnstile_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/web/turnstile"
)

const secret = "1x0000000000000000000000000000000AA"

// cloudflare answers like siteverify: a token is "host/action/cdata", made for a person,
// and is taken once, or again under the same idempotency key.
type cloudflare struct {
	mu    sync.Mutex
	taken map[string]string // token: idempotency key
	ips   []string
	keys  []string
}

func (c *cloudflare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	refuse := func(code string) { fmt.Fprintf(w, `{"success":false,"error-codes":[%q],"messages":[]}`, code) }
	token, key := r.PostFormValue("response"), r.PostFormValue("idempotency_key")
	c.ips, c.keys = append(c.ips, r.PostFormValue("remoteip")), append(c.keys, key)
	parts := strings.Split(token, "/")
	switch used, taken := c.taken[token]; {
	case r.Method != http.MethodPost || r.URL.Path != "/turnstile/v0/siteverify" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		http.NotFound(w, r)
	case r.PostFormValue("secret") != secret:
		refuse("invalid-input-secret")
	case len(parts) != 3:
		refuse("invalid-input-response")
	case taken && used != key:
		refuse("timeout-or-duplicate")
	default:
		c.taken[token] = key
		fmt.Fprintf(w, `{"success":true,"challenge_ts":"2026-03-01T10:00:00.000Z","hostname":%q,"error-codes":[],"action":%q,"cdata":%q,"metadata":{"interactive":false}}`, parts[0], parts[1], parts[2])
	}
}

func setup(t *testing.T, service http.Handler) (*turnstile.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return client(t, server.URL+"/turnstile/v0/", secret), server
}

func client(t *testing.T, endpoint, secret string) *turnstile.Client {
	t.Helper()
	c, err := turnstile.New(turnstile.Config{SiteKey: "key", Secret: secret, Endpoint: endpoint, Host: "id.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var visitor = netip.MustParseAddr("::ffff:192.0.2.1")

// A token is worth something on the page, for the action and the subject that it was
// made for, once; who sends the form twice gets the same answer.
func TestPassed(t *testing.T) {
	t.Parallel()
	service := &cloudflare{taken: map[string]string{}}
	c, _ := setup(t, service)
	passed := func(token, subject string) bool {
		ok, err := c.Passed(t.Context(), token, subject, visitor)
		if err != nil {
			t.Errorf("%q: %v", token, err)
		}
		return ok
	}
	const token = "id.example.com/code/abc"
	for range 2 { // a double click
		if !passed(token, "abc") {
			t.Error("a person's token is refused")
		}
	}
	if passed(token, "abd") {
		t.Error("a token was taken twice")
	}
	for name, other := range map[string]string{
		"another page": "evil.example.com/code/abc", "another action": "id.example.com/login/abc", "another subject": "id.example.com/code/abd",
		"no page": "/code/abc", "no action": "id.example.com//abc", "no subject": "id.example.com/code/", "rubbish": "rubbish",
	} {
		if passed(other, "abc") {
			t.Errorf("%s: taken", name)
		}
	}
	if service.ips[0] != "192.0.2.1" || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(service.keys[0]) {
		t.Errorf("sent %q, %q", service.ips[0], service.keys[0])
	}
	asked := len(service.keys)
	for _, token := range []string{"", " ", "é", "a b", "a\nb", strings.Repeat("a", 2049)} {
		if passed(token, "abc") {
			t.Errorf("%q: taken", token)
		}
	}
	if len(service.keys) != asked {
		t.Error("the service is asked about what can be no token")
	}
}

// What a stranger sends does not look like a service that is away; a service that is
// away, or an operator's mistake, not like a stranger.
func TestRefusedOrAway(t *testing.T) {
	t.Parallel()
	for text, away := range map[string]bool{
		`{"success":false,"error-codes":["invalid-input-response"]}`:                        false,
		`{"success":false,"error-codes":["missing-input-response"]}`:                        false,
		`{"success":false,"error-codes":["timeout-or-duplicate"]}`:                          false,
		`{"success":false,"error-codes":["bad-request"]}`:                                   false,
		`{"success":false,"error-codes":["internal-error"]}`:                                true,
		`{"success":false,"error-codes":["invalid-input-secret"]}`:                          true,
		`{"success":false,"error-codes":["missing-input-secret","invalid-input-response"]}`: true,
		`{"success":false,"error-codes":[]}`:                                                true,
		`{}`:                                                                                true,
		`<html>Just a moment`:                                                               true,
		``:                                                                                  true,
		`{"success":true}` + strings.Repeat(" ", 70<<10):                                    true,
	} {
		for _, status := range []int{200, 400} {
			c, _ := setup(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				fmt.Fprint(w, text)
			}))
			if ok, err := c.Passed(t.Context(), "token", "abc", visitor); ok || (err != nil) != away {
				t.Errorf("%d %.60s: %t, %v", status, text, ok, err)
			} else if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the secret is in the log: %v", err)
			}
		}
	}
	for _, status := range []int{302, 429, 503} { // whatever it says
		c, _ := setup(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"success":true,"hostname":"id.example.com","action":"code","cdata":"abc"}`)
		}))
		if ok, err := c.Passed(t.Context(), "token", "abc", visitor); ok || err == nil {
			t.Errorf("%d: %t, %v", status, ok, err)
		}
	}
	c, server := setup(t, http.NotFoundHandler())
	server.Close()
	if ok, err := c.Passed(t.Context(), "token", "abc", visitor); ok || err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("closed: %t, %v", ok, err)
	}
}

// Nobody waits for long, and one who goes away is not waited for.
func TestSilence(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	c, _ := setup(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-done:
		}
	}))
	t.Cleanup(func() { close(done) })
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if ok, err := c.Passed(ctx, "token", "abc", visitor); ok || err == nil {
		t.Errorf("gone: %t, %v", ok, err)
	}
	start := time.Now()
	if ok, err := c.Passed(t.Context(), "token", "abc", visitor); ok || err == nil {
		t.Errorf("silence: %t, %v", ok, err)
	}
	if took := time.Since(start); took < 4*time.Second || took > time.Minute {
		t.Errorf("waited for %s", took)
	}
}

// While the service is slow no more than 32 questions are under way; who is one too many is soon told that
// they did not pass, which is no fault of the service, and passes afterwards.
func TestFlood(t *testing.T) {
	t.Parallel()
	const most = 32
	var under, peak atomic.Int64
	slow := make(chan struct{})
	service := &cloudflare{taken: map[string]string{}}
	c, _ := setup(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		for seen := peak.Load(); n > seen && !peak.CompareAndSwap(seen, n); seen = peak.Load() {
		}
		<-slow
		service.ServeHTTP(w, r)
	}))
	c.PatientForTest()
	var all sync.WaitGroup
	var passed, refused atomic.Int64
	for i := range 200 {
		all.Go(func() {
			start := time.Now()
			ok, err := c.Passed(t.Context(), fmt.Sprintf("id.example.com/code/s%d", i), fmt.Sprintf("s%d", i), netip.AddrFrom4([4]byte{10, 0, byte(i), 1}))
			switch {
			case err != nil:
				t.Error(err)
			case ok:
				passed.Add(1)
			default:
				if took := time.Since(start); took > time.Minute {
					t.Errorf("told after %s", took)
				}
				if refused.Add(1) == 200-most {
					close(slow)
				}
			}
		})
	}
	all.Wait()
	if passed.Load() != most || refused.Load() != 200-most || peak.Load() != most {
		t.Errorf("%d passed, %d did not, %d at once", passed.Load(), refused.Load(), peak.Load())
	}
	if ok, err := c.Passed(t.Context(), "id.example.com/code/after", "after", visitor); !ok || err != nil {
		t.Errorf("afterwards: %t, %v", ok, err)
	}
}

// Where there is room nobody is refused, also whose time was over before the machine came to look.
func TestRoomAfterItsTime(t *testing.T) {
	t.Parallel()
	over, stop := context.WithCancel(t.Context())
	stop()
	for range 100 {
		if !turnstile.TurnForTest(over) {
			t.Fatal("refused beside free turns")
		}
	}
}

// Whoever has one network and a slow service to wait for holds four turns, and is in the way of nobody else's.
func TestFloodOfOneNetwork(t *testing.T) {
	t.Parallel()
	const most, sent = 4, 60
	for name, address := range map[string]func(i int) netip.Addr{
		"IPv4":   func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}) },
		"mapped": func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("::ffff:203.0.113.%d", i)) },
		"IPv6":   func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::%d", i, i)) },
		"zones":  func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("fe80::1%%eth%d", i)) },
		"none":   func(int) netip.Addr { return netip.Addr{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked, refused atomic.Int64
			slow, others := make(chan struct{}), make(chan struct{})
			service := &cloudflare{taken: map[string]string{}}
			c, _ := setup(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.PostFormValue("response"), "flood") {
					asked.Add(1)
					<-slow
				}
				service.ServeHTTP(w, r)
			}))
			c.PatientForTest()
			passed := func(subject string, from netip.Addr) bool {
				ok, err := c.Passed(t.Context(), "id.example.com/code/"+subject, subject, from)
				if err != nil {
					t.Error(err)
				}
				return ok
			}
			var all sync.WaitGroup
			for i := range sent {
				all.Go(func() {
					if !passed(fmt.Sprintf("flood%d", i), address(i)) && refused.Add(1) == sent-most {
						close(others)
					}
				})
			}
			select {
			case <-others: // all but four were told to try again; the four wait
			case <-time.After(time.Minute):
				t.Errorf("%d are refused", refused.Load())
			}
			for i := range 20 {
				if !passed(fmt.Sprintf("person%d", i), netip.AddrFrom4([4]byte{192, 0, byte(i), 1})) {
					t.Error("a person of another network does not pass")
				}
			}
			close(slow)
			all.Wait()
			if asked.Load() != most {
				t.Errorf("%d had a turn", asked.Load())
			}
			if !passed("after", address(1)) {
				t.Error("the network does not pass afterwards")
			}
		})
	}
}

// Without an address of its own it is Cloudflare.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	c := client(t, "", secret)
	if c.Script() != "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit" || c.Origin() != "https://challenges.cloudflare.com" || c.SiteKey() != "key" {
		t.Errorf("%s from %s", c.Script(), c.Origin())
	}
	for _, bad := range []turnstile.Config{
		{Secret: "s", Host: "h"}, {SiteKey: "k", Host: "h"}, {SiteKey: "k", Secret: "s"}, {SiteKey: "k", Secret: "s", Host: "h", Endpoint: "nowhere"},
	} {
		if _, err := turnstile.New(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
