package attack_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// Two hundred at once want one row: that of an address, or that of a network. All are
// answered in time, and somebody who wants none of them does not wait for them.
func TestHotRows(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.people("ada@example.com")
		network := anywhere()
		for name, ask := range map[string]func(i int) (*page, answer){
			"one address": func(int) (*page, answer) { return at.browser().tryAt("sign-in", "ada@example.com") },
			"one network": func(i int) (*page, answer) {
				return at.browserIn(network).tryAt("sign-in", fmt.Sprintf("ada%d@example.com", i))
			},
		} {
			var mu sync.Mutex
			var took []time.Duration
			done := make(chan map[outcome]int)
			go func() {
				done <- atOnce(200, func(i int) outcome {
					began := time.Now()
					_, a := ask(i)
					mu.Lock()
					defer mu.Unlock()
					took = append(took, time.Since(began))
					return a.outcome()
				})
			}()
			began := time.Now()
			p := at.browser().askAt("register", fmt.Sprintf("bob%d@example.com", len(name)+int(name[4])))
			if a := p.guess(p.code(1)); a.outcome() != in {
				t.Errorf("somebody else, meanwhile: %s", a)
			}
			apart := time.Since(began)
			seen := <-done
			slices.Sort(took)
			t.Logf("%s: %v; half within %s, all within %s; somebody else signed up in %s", name, seen, took[100], took[199], apart)
			// What an address has in an hour, and a network that proves nothing.
			if most := map[string]int{"one address": 5, "one network": 30}[name]; seen[in] != most || seen[limited] != 200-most {
				t.Errorf("%s: %v, want %d codes", name, seen, most)
			}
			if took[199] > 15*time.Second || apart > 15*time.Second {
				t.Errorf("%s: all within %s, somebody else within %s", name, took[199], apart)
			}
		}
	})
}
