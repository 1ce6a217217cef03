package attack_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// 200 guesses at once, at all replicas: five are compared, and the right code is worth
// nothing afterwards. Who asks anew gets in.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		p := at.browser().askAt("register", "ada@example.com")
		code := p.code(1)
		seen := outcomes(salvo(200, []page{p}, func(i int) string { return other(i, code) }))
		if n := at.compared(); seen[wrong] != 4 || seen[spent] != 196 || n != 5 {
			t.Errorf("200 wrong guesses at once: %v, of which %d were compared; want 4 wrong, 196 spent, 5 compared", seen, n)
		}
		for range at.replicas {
			if got := p.guess(code); got.outcome() != spent {
				t.Errorf("the right code after them: %s", got)
			}
		}
	}, "IDP_LIMIT_ACCOUNT_GUESSES=off", "IDP_LIMIT_IP_GUESSES=off") // no budget helps the challenge to count
}

// Guesses at once on many challenges of one address, from a network each: together what
// the address has, ten an hour.
func TestGuessesAcrossChallengesAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.account("ada@example.com")
		at.exhaust("ada@example.com", func(i int) page { return at.browser().ask("ada@example.com") }, 4)
	})
}

// The same over purposes: what was guessed at a sign-in is not there for a recovery, nor for
// the console, whose codes have eight digits.
func TestGuessesAcrossPurposesAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		at.account("ada@example.com")
		names := slices.Sorted(maps.Keys(screens))
		at.exhaust("ada@example.com", func(i int) page {
			if i == len(names) {
				return at.browser().askConsole("ada@example.com")
			}
			return at.browser().askAt(names[i], "ada@example.com")
		}, len(names)+1)
	}, "IDP_ADMIN_EMAILS=ada@example.com")
}

// compared is how many wrong guesses were compared in all, as the database counted them:
// answers tell no late comparison from none.
func (at *target) compared() (n int) {
	at.t.Helper()
	if err := at.replicas[0].DB().QueryRow(`SELECT CAST(COALESCE(SUM(tries), 0) AS BIGINT) FROM challenge`).Scan(&n); err != nil {
		at.t.Fatal(err)
	}
	return n
}

// exhaust guesses at once on n challenges of an address: at most ten guesses are compared
// in all, and no right code is taken afterwards.
func (at *target) exhaust(email string, ask func(i int) page, n int) {
	at.t.Helper()
	var pages []page
	var codes []string
	for i := range n {
		pages = append(pages, ask(i))
		codes = append(codes, pages[i].code(1))
	}
	seen := outcomes(salvo(40*n, pages, func(i int) string { return other(i, codes[i%n]) }))
	total := at.compared()
	if seen[wrong]+seen[spent]+seen[limited] != 40*n {
		at.t.Errorf("%d guesses: %v", 40*n, seen)
	}
	at.t.Logf("%d guesses on %d challenges of %s: %d were compared", 40*n, n, email, total)
	if total > 10 || total < 5 {
		at.t.Errorf("%d guesses were compared, want 10 at most and one challenge's 5 at least", total)
	}
	for i, p := range pages {
		if got := p.guess(codes[i]); got.outcome() != limited && got.outcome() != spent {
			at.t.Errorf("the right code of challenge %d after them: %s", i, got)
		}
	}
}

// Another code brings no more tries: three codes, five guesses.
func TestGuessesAcrossResends(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		p := at.browser().askAt("register", "ada@example.com")
		codes := []string{p.code(1)}
		seen := map[outcome]int{}
		for sends := 2; sends <= 3; sends++ {
			for range 2 {
				seen[p.guess(other(len(seen)+sends, codes...)).outcome()]++
			}
			time.Sleep(time.Duration(sends-1)*time.Second + 50*time.Millisecond) // as long as it takes
			if a := p.resend(); a.status != 303 {
				t.Fatalf("send %d: %s", sends, a)
			}
			codes = append(codes, p.code(sends))
		}
		for i := range 40 {
			seen[p.guess(other(i, codes...)).outcome()]++
		}
		if n := at.compared(); n != 5 {
			t.Errorf("with three codes %d guesses were compared, want 5: %v", n, seen)
		}
		for i, code := range codes {
			if got := p.guess(code); got.outcome() != spent {
				t.Errorf("code %d after them: %s", i+1, got)
			}
		}
	})
}

// One network on many addresses: thirty guesses in ten minutes; elsewhere others go on.
func TestGuessesAcrossAddressesAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		network := anywhere()
		var pages []page
		var codes []string
		for i := range 9 {
			p := at.browserIn(network).askAt("register", fmt.Sprintf("victim%d@example.com", i))
			pages, codes = append(pages, p), append(codes, p.code(1))
		}
		seen := outcomes(salvo(36, pages, func(i int) string { return other(i, codes...) }))
		if n := at.compared(); seen[wrong] != 30 || seen[limited] != 6 || n != 30 {
			t.Errorf("36 guesses of one network, four an address: %v, of which %d were compared; want 30", seen, n)
		}
		p := at.browser().askAt("register", "bob@example.com")
		if got := p.guess(p.code(1)); got.outcome() != in {
			t.Errorf("somebody elsewhere: %s", got)
		}
	})
}
