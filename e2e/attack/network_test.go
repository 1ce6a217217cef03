package attack_test

import (
	"fmt"
	"net/http"
	"testing"
)

// guesses has one wrong guess made from each of the networks, four on each address, and
// counts what came of them: a network has thirty in ten minutes.
func (at *target) guesses(name string, n int, from func(i int) (network string, header http.Header)) map[outcome]int {
	at.t.Helper()
	seen := map[outcome]int{}
	var p page
	var code string
	for i := range n {
		if i%4 == 0 {
			p = at.browser().askAt("register", fmt.Sprintf("%s%d@example.com", name, i))
			code = p.code(1)
		}
		b := *p.browser
		b.network, b.header = from(i)
		q := p
		q.browser = &b
		seen[q.guess(other(i, code)).outcome()]++
	}
	return seen
}

// Whoever has a /64, has all addresses of it, and is one; also under the names that IPv4
// addresses have in IPv6, and with zones and ports.
func TestAddressRotation(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		seen := at.guesses("within", 36, func(i int) (string, http.Header) {
			return fmt.Sprintf("2001:db8:1:2:%x:%x::%x", i*911, i, i+1), nil
		})
		if seen[wrong] != 30 || seen[limited] != 6 {
			t.Errorf("36 guesses from one /64: %v, want 30 that were compared", seen)
		}
		spellings := []string{"203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107", "203.0.113.7:4711", "[::ffff:203.0.113.7]:4711", "::ffff:203.0.113.7%eth0"}
		seen = at.guesses("spelt", 36, func(i int) (string, http.Header) { return spellings[i%len(spellings)], nil })
		if seen[wrong] != 30 || seen[limited] != 6 {
			t.Errorf("36 guesses from one IPv4 address in six spellings: %v, want 30 that were compared", seen)
		}
		// Across /64s each is a network of its own: then the address is what bounds.
		at.account("ada@example.com")
		before := at.compared()
		seen = map[outcome]int{}
		var pages []page
		var codes []string
		for range 4 {
			p := at.browser().ask("ada@example.com")
			pages, codes = append(pages, p), append(codes, p.code(1))
		}
		for c, p := range pages {
			for i := range 5 {
				b := *p.browser
				b.network = fmt.Sprintf("2001:db8:%x:%x::1", c+1, i)
				q := p
				q.browser = &b
				seen[q.guess(other(i, codes...)).outcome()]++
			}
		}
		if n := at.compared() - before; n != 10 || seen[limited] != 10 {
			t.Errorf("20 guesses at one address from 20 networks: %v, of which %d were compared; want 10", seen, n)
		}
	})
}

// What stands left of the balancer's entry in X-Forwarded-For, and all other headers of the
// kind, are made up by whoever sent them.
func TestForwardingHeaders(t *testing.T) {
	t.Parallel()
	made := func(i int) http.Header {
		lie := fmt.Sprintf("198.51.100.%d", i)
		return http.Header{
			"Forwarded": {"for=" + lie}, "X-Real-Ip": {lie}, "True-Client-Ip": {lie}, "Cf-Connecting-Ip": {lie}, "X-Client-Ip": {lie},
			"X-Forwarded": {"for=" + lie}, "X-Cluster-Client-Ip": {lie}, "Fastly-Client-Ip": {lie}, "X-Originating-Ip": {lie}, "X-Remote-Addr": {lie},
		}
	}
	onBoth(t, func(t *testing.T, at *target) {
		seen := at.guesses("left", 36, func(i int) (string, http.Header) {
			return fmt.Sprintf("198.51.100.%d, 192.0.2.%d, 203.0.113.9", i, i), made(i)
		})
		if seen[wrong] != 30 || seen[limited] != 6 {
			t.Errorf("36 guesses of one network that calls itself others: %v, want 30 that were compared", seen)
		}
		// Garbage is not passed over to what stands left of it.
		seen = at.guesses("garbage", 36, func(i int) (string, http.Header) {
			return fmt.Sprintf("198.51.100.%d, unknown, 203.0.113.10", i), made(i)
		})
		if seen[wrong] != 30 || seen[limited] != 6 {
			t.Errorf("36 guesses behind garbage: %v, want 30 that were compared", seen)
		}
		// Nor is anybody else charged: who was named has his guesses.
		p := at.browserIn("198.51.100.1").askAt("register", "named@example.com")
		if a := p.guess(other(0, p.code(1))); a.outcome() != wrong {
			t.Errorf("the network that the attacker named: %s", a)
		}
	})
	t.Run("nobody is trusted", func(t *testing.T) {
		onBoth(t, func(t *testing.T, at *target) {
			seen := at.guesses("untrusted", 36, func(i int) (string, http.Header) { return fmt.Sprintf("198.51.100.%d", i), made(i) })
			if seen[wrong] != 30 || seen[limited] != 6 {
				t.Errorf("36 guesses with a header that nobody vouches for: %v, want 30 that were compared", seen)
			}
		}, "IDP_TRUSTED_PROXIES=")
	})
}
