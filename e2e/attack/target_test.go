package attack_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/e2e/rig"
	"idp/store/pgtest"
)

// target is an installation under attack: one process on SQLite, two on Postgres. It believes
// the forwarding header of its balancer, so each browser comes from a network of its own.
type target struct {
	t        *testing.T
	engine   string
	endpoint string
	replicas []*rig.Server
	app      rig.Client
	mails    *rig.Sink
	http     *http.Transport
	outage   bool // the database is away: 503 is an answer
}

// long tells whether the suite runs at length.
var long = os.Getenv("IDP_ATTACK") == "long"

// scale is n, or, where the suite runs at length, the second number.
func scale(n, atLength int) int {
	if long {
		return atLength
	}
	return n
}

// onBoth attacks an installation on each engine.
func onBoth(t *testing.T, attack func(t *testing.T, at *target), env ...string) {
	t.Helper()
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			attack(t, newTarget(t, engine, env...))
		})
	}
}

func newTarget(t *testing.T, engine string, env ...string) *target {
	t.Helper()
	// The second mail after a second, not a minute: nothing else is softer than in production.
	env = append([]string{"IDP_TRUSTED_PROXIES=127.0.0.1/32", "IDP_OTP_RESEND_WAIT=1s"}, env...)
	at := &target{t: t, engine: engine, mails: rig.NewSink(t, nil)}
	at.http = &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}
	t.Cleanup(at.http.CloseIdleConnections)
	if engine == "postgres" {
		a, b, _ := rig.NewReplicas(t, env...)
		at.replicas = []*rig.Server{a, b}
	} else {
		at.replicas = []*rig.Server{rig.Install(t, engine, env...)}
	}
	first := at.replicas[0]
	at.endpoint = first.Endpoint
	first.MailTo(at.mails.URL)
	at.app = first.NewClient()
	for _, s := range at.replicas {
		s.Start()
	}
	return at
}

// newWired is a target on Postgres, with a wire between the replicas and the database.
func newWired(t *testing.T) (*target, *rig.Wire) {
	t.Helper()
	real := pgtest.URL(t)
	u, err := url.Parse(real)
	if err != nil {
		t.Fatal(err)
	}
	wire := rig.NewWire(t, u.Host)
	u.Host = wire.Addr().String()
	at := newTarget(t, "postgres", "IDP_DATABASE_URL="+u.String()+"&pool_max_conns=10", "IDP_LIMIT_ACCOUNT_GUESSES=off", "IDP_LIMIT_IP_GUESSES=off")
	for _, s := range at.replicas {
		s.Database = real
	}
	return at, wire
}

var networks atomic.Uint32

// anywhere is an IPv4 address that nobody had before.
func anywhere() string {
	n := networks.Add(1)
	return fmt.Sprintf("100.%d.%d.%d", 64+n>>16&63, n>>8&255, n&255)
}

// atOnce does something n times at the same moment and counts what came of it.
func atOnce[K comparable](n int, do func(i int) K) map[K]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := map[K]int{}
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			k := do(i)
			mu.Lock()
			defer mu.Unlock()
			seen[k]++
		})
	}
	close(start)
	wg.Wait()
	return seen
}

// other gives a code that is none of these, the i-th of its kind.
func other(i int, codes ...string) string {
	for n := i * 7919; ; n++ {
		code := fmt.Sprintf("%0*d", len(codes[0]), n%1_000_000)
		right := false
		for _, c := range codes {
			right = right || c == code
		}
		if !right {
			return code
		}
	}
}

// drained waits until all mails that were queued before have gone: one that is asked for
// now overtakes none on its replica.
func (at *target) drained() {
	at.t.Helper()
	for range 2 * len(at.replicas) {
		to := "last" + strconv.FormatInt(time.Now().UnixNano(), 36) + "@example.com"
		at.browser().ask(to).code(1)
	}
}

// account makes an account and gives the browser that is signed in to it.
func (at *target) account(email string) *browser {
	at.t.Helper()
	b := at.browser()
	p := b.askAt("register", email)
	if a := p.guess(p.code(1)); a.outcome() != in {
		at.t.Fatalf("no account for %s: %s", email, a)
	}
	return b
}
