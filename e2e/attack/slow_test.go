package attack_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire sends bytes to a replica and gives what comes back until it hangs up.
func (at *target) wire(text string) string {
	at.t.Helper()
	c, err := net.Dial("tcp", at.replicas[0].Address)
	if err != nil {
		at.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(c, text)
	_ = c.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(c)
	return string(answer)
}

// Clients that send a byte now and then, in the head and in the body, or read nothing: the
// server hangs up on them, and answers others meanwhile as if nobody was there.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		const body = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"
		kinds := []struct {
			name, first string
			most        time.Duration // until the server hangs up
		}{
			{"head", "GET /oidc/auth HTTP/1.1\r\nHost: x\r\n", 7 * time.Second},
			{"body", body, 20 * time.Second},
			{"chunks", strings.Replace(body, "Content-Length: 5000", "Transfer-Encoding: chunked", 1) + "1000\r\n", 20 * time.Second},
			{"nothing", "", 7 * time.Second},
		}
		n := scale(100, 1000)
		var slow sync.WaitGroup
		began := time.Now()
		lasted := make([]time.Duration, n)
		for i := range n {
			c, err := net.Dial("tcp", at.replicas[i%len(at.replicas)].Address)
			if err != nil {
				t.Fatal(err)
			}
			slow.Go(func() {
				defer func() { _ = c.Close() }()
				_, _ = io.WriteString(c, kinds[i%len(kinds)].first)
				gone := make(chan struct{})
				go func() { _, _ = io.Copy(io.Discard, c); close(gone) }()
				tick := time.NewTicker(500 * time.Millisecond)
				defer tick.Stop()
				for time.Since(began) < 40*time.Second {
					select {
					case <-gone:
						lasted[i] = time.Since(began)
						return
					case <-tick.C:
						if kinds[i%len(kinds)].first != "" {
							_, _ = io.WriteString(c, "a")
						}
					}
				}
				lasted[i] = time.Since(began)
			})
		}
		// Meanwhile somebody signs in, again and again.
		var worst time.Duration
		times := 0
		for time.Since(began) < 8*time.Second {
			b := at.browser()
			start := time.Now()
			if a := b.raw(http.MethodGet, at.replicas[0].Request(at.app).Path(), ""); a.status != http.StatusOK {
				t.Errorf("meanwhile: %s", a)
			}
			worst = max(worst, time.Since(start))
			times++
			time.Sleep(100 * time.Millisecond)
		}
		if worst > 4*time.Second {
			t.Errorf("with %d slow clients a page takes up to %s", n, worst)
		}
		p := at.browser().ask("ada@example.com")
		if a := p.guess(p.code(1)); a.outcome() != in {
			t.Errorf("with %d slow clients nobody can sign in: %s", n, a)
		}
		slow.Wait()
		longest := map[string]time.Duration{}
		for i, d := range lasted {
			k := kinds[i%len(kinds)]
			longest[k.name] = max(longest[k.name], d)
			if d > k.most+5*time.Second { // of a busy machine
				t.Errorf("a slow %s lasts %s, want at most %s", k.name, d, k.most)
			}
		}
		t.Logf("%d slow clients: cut after %v; %d pages meanwhile, the slowest %s", n, longest, times, worst)
	})
}
