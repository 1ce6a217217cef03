package webhook

import (
	"math/rand/v2"
	"time"
)

// Pace is when what is done. What is zero is as in production.
type Pace struct {
	Poll    time.Duration   // how often due deliveries are looked for
	Lease   time.Duration   // for how long a claimed delivery is one replica's
	Retries []time.Duration // the waits before the second try, the third, ...
	Rest    time.Duration   // of a hook whose posts all fail, at first; it doubles up to MaxRest
	MaxRest time.Duration
	MaxAge  time.Duration // of a delivery that is still posted: after it nobody wants to know
}

// perHook is how many posts to a hook are under way at a time in one replica; a claim takes
// so many times perHook.
const (
	perHook    = 16
	claimTimes = 3
)

func (p Pace) filled() Pace {
	set := func(d *time.Duration, usual time.Duration) {
		if *d == 0 {
			*d = usual
		}
	}
	set(&p.Poll, time.Second)
	// A claim's posts take claimTimes times the timeout at most; the rest is for the database.
	set(&p.Lease, (claimTimes+3)*postTimeout)
	set(&p.Rest, time.Second)
	set(&p.MaxRest, time.Minute)
	set(&p.MaxAge, 48*time.Hour)
	if p.Retries == nil { // 24 hours in all, as many as MaxRetries
		p.Retries = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 7 * time.Hour, 12 * time.Hour}
	}
	return p
}

// retry is the wait after a number of tries, and whether there is another one at all.
// A jitter of a fifth keeps deliveries that failed together apart.
func (p Pace) retry(tries int, c Config) (time.Duration, bool) {
	most := len(p.Retries)
	if c.Retries != nil {
		most = min(most, *c.Retries)
	}
	if tries < 1 || tries > most {
		return 0, false
	}
	return jitter(p.Retries[tries-1]), true
}

// rest is how long a hook is left alone after so many claims of which every post failed.
func (p Pace) rest(failures int) time.Duration {
	d := p.Rest
	for range failures - 1 {
		if d *= 2; d >= p.MaxRest {
			return jitter(p.MaxRest)
		}
	}
	return jitter(d)
}

func jitter(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) } //nolint:gosec // no secret
