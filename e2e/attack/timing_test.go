package attack_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// people makes accounts without mailing anybody.
func (at *target) people(emails ...string) {
	at.t.Helper()
	file := filepath.Join(at.t.TempDir(), "people.csv")
	f, err := os.Create(file)
	if err != nil {
		at.t.Fatal(err)
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"email"})
	for _, email := range emails {
		_ = w.Write([]string{email})
	}
	w.Flush()
	if err := f.Close(); err != nil || w.Error() != nil {
		at.t.Fatal(err, w.Error())
	}
	at.replicas[0].Run("user", "import", file)
}

// The three groups of addresses: two that have accounts, to see how much two of a kind
// differ in this very run on this very machine, and one that has none.
const (
	known = iota
	alike
	unknown
	groups
)

// Answers to addresses with an account and without take the same time. 1000 samples each, fewer
// on a machine that would take longer than five minutes, one after the other, all groups in turn, every address
// once: nothing is cached for anybody.
func TestTiming(t *testing.T) {
	onBoth(t, func(t *testing.T, at *target) {
		const n = 1000
		var emails [groups][]string
		for i := range n {
			for g := range emails {
				emails[g] = append(emails[g], fmt.Sprintf("%d.%03d@example.com", i*7919%1000, (i*groups+g)*337%3000))
			}
		}
		at.people(slices.Concat(emails[known], emails[alike])...)
		steps := map[string]*[groups][]float64{"address": {}, "code page": {}, "guess": {}, "recovery": {}}
		sample := func(step string, g int, a answer, status int) answer {
			if a.status != status {
				t.Fatalf("%s: %s", step, a)
			}
			steps[step][g] = append(steps[step][g], float64(a.took)/float64(time.Millisecond))
			return a
		}
		b := at.browser()
		_, signIn := b.addressForm("sign-in")
		_, recover := b.addressForm("recover")
		began := time.Now()
		for i := range n {
			if i >= 300 && !long && time.Since(began) > 5*time.Minute {
				break
			}
			for _, g := range rand.Perm(groups) {
				b.network = anywhere()
				a := sample("address", g, b.send(signIn.action, signIn.with("email", emails[g][i])), 303)
				a = sample("code page", g, b.send(a.to, nil), 200)
				f := a.form(t, "/verify")
				sample("guess", g, b.send(f.action, f.with("code", "000000")), 422)
				sample("recovery", g, b.send(recover.action, recover.with("email", emails[g][i])), 303)
			}
		}
		for step, s := range steps {
			judge(t, step, *s)
		}
	}, "IDP_LIMIT_GUESS_ALARM=off") // else codes get longer in the middle of it, and what is sent is none any more
}

// judge fails the test if known and unknown addresses differ by more than chance: by half as
// much again as two samples of the same kind, drawn from this run, do once in a thousand
// times. Whatever else slows the machine down meets all groups alike.
func judge(t *testing.T, step string, s [groups][]float64) {
	t.Helper()
	same := slices.Concat(s[known], s[alike])
	var off []float64
	for range 1000 {
		off = append(off, math.Abs(chance(draw(same, len(s[known])), draw(same, len(s[unknown])))-0.5))
	}
	slices.Sort(off)
	bound := 1.5 * off[998]
	seen, control := chance(s[known], s[unknown]), chance(s[known], s[alike])
	slices.Sort(same)
	median := same[len(same)/2]
	// The least delay, to a hundredth of the median, that would have been noticed.
	least, slower := 0.0, slices.Clone(s[known])
	for math.Abs(chance(slower, s[alike])-0.5) <= bound && least < 2*median {
		least += median / 100
		for i := range slower {
			slower[i] = s[known][i] + least
		}
	}
	t.Logf("%-9s median %.2f ms; a known address is slower than an unknown one in %.1f %% of pairs, than a known one in %.1f %%; bound 50 ± %.1f; noticed from %.2f ms on",
		step, median, 100*seen, 100*control, 100*bound, least)
	if math.Abs(seen-0.5) > bound {
		t.Errorf("%s: a known address is slower than an unknown one in %.1f %% of pairs, which is no chance", step, 100*seen)
	}
	if least >= 2*median {
		t.Errorf("%s: not even a delay of %.2f ms would have been noticed", step, least)
	}
}

func draw(from []float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = from[rand.IntN(len(from))]
	}
	return out
}

// chance is how likely one of x is greater than one of y (Mann and Whitney's U, as a
// share): 0.5 where nothing can be learnt.
func chance(x, y []float64) float64 {
	x, y = slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))
	below, same, u := 0, 0, 0.0
	for _, v := range x {
		for below < len(y) && y[below] < v {
			below++
		}
		for same = below; same < len(y) && y[same] == v; same++ {
		}
		u += float64(below) + float64(same-below)/2
	}
	return u / float64(len(x)*len(y))
}
