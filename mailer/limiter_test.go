package mailer

import (
	"testing"
	"time"
)

var start = time.Unix(1e9, 0)

// passed counts the mails that go through in d, by a sender that never stops.
func passed(l *limiter, from time.Time, d time.Duration) (n int) {
	for at := from; ; n++ {
		at = at.Add(l.reserve(at))
		if at.Sub(from) >= d {
			return n
		}
	}
}

func TestRateHolds(t *testing.T) {
	t.Parallel()
	for _, limit := range []float64{0.8, 11.2, 400, 4000} {
		l := limiter{limit: limit}
		if n := passed(&l, start, 10*time.Second); float64(n) < 10*limit-1 || float64(n) > 10.1*limit+1 {
			t.Errorf("%d mails in ten seconds at %g a second", n, limit)
		}
		// An idle hour is not made up for.
		if n := passed(&l, start.Add(time.Hour), time.Second); float64(n) > 1.03*limit+1 {
			t.Errorf("after an hour: %d mails in a second at %g a second", n, limit)
		}
	}
}

func TestUnlimited(t *testing.T) {
	t.Parallel()
	var l limiter
	for range 1000 {
		if w := l.reserve(start); w != 0 {
			t.Fatalf("waits %s", w)
		}
	}
}

func TestThrottlingHalvesTheRateAndItGrowsAgain(t *testing.T) {
	t.Parallel()
	l := limiter{limit: 100}
	passed(&l, start, 2*time.Second)
	at := start.Add(2 * time.Second)
	for range 10 { // at once: it counts once
		l.throttled(at)
	}
	if r := l.rate(at); r < 45 || r > 55 {
		t.Errorf("rate %g", r)
	}
	if a, b := l.rate(at.Add(2*time.Second)), l.rate(at.Add(20*time.Second)); a < 50 || a > 70 || b != 100 {
		t.Errorf("rate %g after two seconds, %g after twenty", a, b)
	}
	for i := range 20 {
		l.throttled(at.Add(time.Duration(i+30) * time.Second))
		l.slowed.from = l.rate(at.Add(time.Duration(i+30) * time.Second))
	}
	if r := l.rate(at.Add(50 * time.Second)); r < 10 {
		t.Errorf("it fell to %g", r)
	}
}

func TestThrottlingWithoutALimit(t *testing.T) {
	t.Parallel()
	var l limiter
	for i := range 400 {
		l.reserve(start.Add(time.Duration(i) * 5 * time.Millisecond)) // 200 a second
	}
	at := start.Add(2 * time.Second)
	l.throttled(at)
	if r := l.rate(at); r < 80 || r > 120 {
		t.Errorf("rate %g", r)
	}
	if r := l.rate(at.Add(5 * time.Minute)); r != 0 {
		t.Errorf("limited to %g for ever", r)
	}
}

func TestCircuit(t *testing.T) {
	t.Parallel()
	c := circuit{state: Closed, config: Config{Trip: 3, Cool: time.Second, MaxCool: 4 * time.Second, Halt: time.Minute, MaxHalt: time.Minute}}
	at := start
	fail := func(class Class) {
		t.Helper()
		k, ok := c.enter(at)
		if !ok {
			t.Fatal("no leave")
		}
		c.failed(k, at, class, "busy")
	}
	fail(Temporary)
	fail(Temporary)
	k, _ := c.enter(at)
	c.answered(k, at, false) // rejected a mail: it does its work
	fail(Temporary)
	fail(Temporary)
	if c.state != Closed {
		t.Fatal("opened by failures that were not in a row")
	}
	early, _ := c.enter(at)
	fail(Temporary)
	if _, ok := c.enter(at); ok || c.state != Open {
		t.Fatal("not opened")
	}
	c.answered(early, at, true)
	if c.state != Open {
		t.Fatal("closed by a mail that was sent before it opened")
	}
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
		if _, ok := c.enter(at.Add(wait * 8 / 10)); ok {
			t.Fatalf("tried before %s", wait)
		}
		at = at.Add(wait * 12 / 10)
		probe, ok := c.enter(at)
		if _, second := c.enter(at); !ok || second {
			t.Fatalf("after %s: one %t, a second one %t", wait, ok, second)
		}
		c.failed(probe, at, Temporary, "busy")
	}
	at = at.Add(5 * time.Second)
	probe, _ := c.enter(at)
	c.release(probe) // it came to nothing
	if probe, ok := c.enter(at); !ok || !c.answered(probe, at, true) || c.state != Closed {
		t.Fatal("not closed")
	}
	fail(Misconfigured)
	if _, ok := c.enter(at.Add(50 * time.Second)); ok {
		t.Error("tried too soon")
	}
	c.retry(at)
	if _, ok := c.enter(at); !ok {
		t.Error("not tried after it was mended")
	}
}
