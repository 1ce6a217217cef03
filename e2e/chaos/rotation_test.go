//go:build chaos

package chaos_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"idp/e2e/rig"
)

// signed verifies all ID tokens with the keys that are published now, and counts the keys.
func (c *crowd) signed() (n, keys int, wrong []string) {
	provider, err := oidc.NewProvider(context.Background(), c.s.Endpoint+"/oidc")
	if err != nil {
		return 0, 0, []string{err.Error()}
	}
	verifier := provider.VerifierContext(context.Background(), &oidc.Config{ClientID: c.app.ID, SupportedSigningAlgs: []string{oidc.ES256}})
	c.mu.Lock()
	people := slices.Clone(c.people)
	c.mu.Unlock()
	seen := map[string]bool{}
	for _, p := range people {
		if p.id == "" {
			continue
		}
		n++
		head, _, _ := strings.Cut(p.id, ".")
		seen[head] = true // names the key
		if _, err := verifier.Verify(context.Background(), p.id); err != nil {
			wrong = append(wrong, p.email+": "+err.Error())
		}
	}
	return n, len(seen), wrong
}

// keys rotates the signing keys under load.
func keys(t *testing.T) {
	c, a, b, _ := pair(t, rig.Binary)
	a.Start()
	b.Start()
	c.register()
	c.come(3)
	c.until(6)
	const rounds = 2
	for range rounds {
		a.Run("keys", "rotate")
		// New keys sign after ten seconds: be there before, while and after.
		for range 2 {
			time.Sleep(6 * time.Second)
			c.until(3)
		}
	}
	c.leave()
	after, v := c.count(), c.look()
	n, signers, wrong := c.signed()
	v.Wrong = append(v.Wrong, wrong...)
	if signers != rounds+1 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("%d keys have signed, want %d", signers, rounds+1))
	}
	if after.Unavailable+after.Lost+after.Again > 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("somebody noticed: %+v", after))
	}
	add(t, row{Fault: "signing keys rotated", Where: "all steps at once", Expected: "nobody notices; tokens of the keys before stay valid",
		Seen: seen(fmt.Sprintf("rotated %d times, %d ID tokens of %d keys verified with what is published at the end", rounds, n, signers), after, v), Tally: after, Verdict: v})
}

// secret changes the instance secret under load, replica by replica: all learn the new one first,
// then they begin to use it.
func secret(t *testing.T) {
	c, a, b, front := pair(t, rig.Binary, "IDP_STOP_DELAY="+linger)
	a.Start()
	b.Start()
	c.register()
	c.come(3)
	c.until(6)
	raw := make([]byte, 32)
	rand.Read(raw)
	next := base64.StdEncoding.EncodeToString(raw)
	for _, now := range [][2]string{{rig.TestSecret, next}, {next, rig.TestSecret}} {
		for _, s := range []*rig.Server{a, b} {
			s.Stop()
			s.Env = append(without(without(s.Env, "IDP_SECRET"), "IDP_SECRET_PREVIOUS"), "IDP_SECRET="+now[0], "IDP_SECRET_PREVIOUS="+now[1])
			s.Start()
			time.Sleep(2 * watch)
			c.until(6) // one replica uses the old secret, the other one the new one
		}
	}
	c.leave()
	after, v := c.count(), c.look()
	n, _, wrong := c.signed()
	v.Wrong = append(v.Wrong, wrong...)
	if front.Lost()+after.Unavailable+after.Lost+after.Again > 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("somebody noticed: %+v", after))
	}
	add(t, row{Fault: "instance secret changed, replica by replica", Where: "all steps at once", Expected: "nobody notices",
		Seen: seen(fmt.Sprintf("4 restarts, %d ID tokens verified", n), after, v), Tally: after, Verdict: v})

	before := c.count()
	c.come(3)
	c.until(3)
	a.Run("secret", "rotate")
	c.until(6)
	c.leave()
	for _, s := range []*rig.Server{a, b} { // nobody is in the middle of anything that the old one has sealed
		s.Stop()
		s.Env = without(s.Env, "IDP_SECRET_PREVIOUS")
		s.Start()
	}
	time.Sleep(2 * watch)
	c.come(3)
	c.until(6)
	c.leave()
	after, v = c.since(before), c.look()
	n, _, wrong = c.signed()
	v.Wrong = append(v.Wrong, wrong...)
	add(t, row{Fault: "idp secret rotate, then the old secret is gone", Where: "all steps at once", Expected: "nobody notices; tokens and sessions of the old secret live on",
		Seen: seen(fmt.Sprintf("%d ID tokens verified", n), after, v), Tally: after, Verdict: v})
}
