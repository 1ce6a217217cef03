package mailer

import "time"

// limiter spaces the mails of one connector: a bucket that holds a fiftieth of a
// second's worth. It is not safe for concurrent use: its line locks it.
//
// A provider that says "too fast" halves the rate, which then grows again by a
// twentieth of the old one each second.
type limiter struct {
	limit float64   // mails a second, this replica's part; 0: not limited
	next  time.Time // when a mail would be exactly on time

	slowed struct {
		at   time.Time // zero: it is not slowed down
		from float64   // the rate before
	}
	seen struct { // what went through, to know the rate where there is no limit
		since time.Time
		count float64
		rate  float64 // of the second before
	}
}

// allow changes the limit. Who waits at a lower rate than the new one waits no longer
// than that makes necessary.
func (l *limiter) allow(limit float64, now time.Time) {
	if l.limit > 0 && (limit == 0 || limit > l.limit) {
		next := now
		if limit > 0 {
			next = now.Add(time.Duration(float64(time.Second) / limit))
		}
		if l.next.After(next) {
			l.next = next
		}
	}
	l.limit = limit
}

// least is what a throttled connector is still sent: a tenth of what it said it takes,
// or, where it says nothing, two mails a second.
func (l *limiter) least() float64 {
	if l.limit > 0 {
		return l.limit / 10
	}
	return 2
}

// rate is how fast mails may go now, in mails a second; 0: as fast as they come.
func (l *limiter) rate(now time.Time) float64 {
	if l.slowed.at.IsZero() {
		return l.limit
	}
	r := max(l.slowed.from/2, l.least()) + max(l.slowed.from/20, 0.05)*now.Sub(l.slowed.at).Seconds()
	switch {
	case l.limit > 0 && r >= l.limit, l.limit == 0 && r >= 4*max(l.slowed.from, 1):
		l.slowed.at = time.Time{}
		return l.limit
	}
	return r
}

// throttled halves the rate, once a second at most: mails that were under way
// together are refused together.
func (l *limiter) throttled(now time.Time) {
	if now.Sub(l.slowed.at) < time.Second {
		return
	}
	from := l.rate(now)
	if actual := max(l.seen.rate, l.seen.count); from == 0 || actual > 0 && actual < from {
		from = max(actual, l.least())
	}
	l.slowed.at, l.slowed.from = now, from
}

// wait is how long until a mail may go.
func (l *limiter) wait(now time.Time) time.Duration {
	r := l.rate(now)
	if r == 0 {
		return 0
	}
	burst := time.Duration(max(0, 0.02-1/r) * float64(time.Second))
	return max(0, l.next.Add(-burst).Sub(now))
}

// reserve takes a place and gives how long to wait for it.
func (l *limiter) reserve(now time.Time) time.Duration {
	if now.Sub(l.seen.since) >= time.Second {
		l.seen.rate = l.seen.count / now.Sub(l.seen.since).Seconds()
		l.seen.since, l.seen.count = now, 0
	}
	l.seen.count++
	r := l.rate(now)
	if r == 0 {
		l.next = now
		return 0
	}
	wait := l.wait(now)
	if l.next.Before(now) {
		l.next = now
	}
	l.next = l.next.Add(time.Duration(float64(time.Second) / r))
	return wait
}
