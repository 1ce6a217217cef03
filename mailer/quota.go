package mailer

import (
	"context"
	"log/slog"
	"time"
)

// How we keep within what a provider's account may send.
const (
	shareOfRate = 0.8 // of its mails a second, over all replicas
	warnOfDay   = 0.8 // of its mails a day: an operator should know
	stopOfDay   = 0.9 // the connector is used only where no other one can send

	quotaEvery = time.Minute // is it read
	quotaAgain = time.Second // after something that may have changed it
	quotaTime  = 5 * time.Second

	// Mails a second until it was read or could not be: what the smallest account may.
	rateUnread = 1
)

// used is the part of the day's mails that is used up. What the other replicas sent
// since it was read is taken to be what we did.
func (k quota) used() float64 {
	if k.Day <= 0 {
		return 0
	}
	return (k.Sent + float64(k.sent*k.replicas)) / k.Day
}

func (l *line) nearlyUsedUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.quota.used() >= stopOfDay
}

// askDue tells whether the quota has to be read now, and notes that it is being read.
func (l *line) askDue(now time.Time) (Rated, bool) {
	rated, ok := l.sender.(Rated)
	if !ok {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	age := now.Sub(l.quota.read)
	due := !l.quota.asking && (age >= quotaEvery || l.quota.stale && age >= quotaAgain)
	l.quota.asking = l.quota.asking || due
	return rated, due
}

// readQuota asks the provider what its account may send. Without an answer the one
// before holds on.
func (q *Queue) readQuota(ctx context.Context, l *line, rated Rated) {
	ctx, cancel := context.WithTimeout(ctx, quotaTime)
	defer cancel()
	got, err := rated.Quota(ctx)
	now := time.Now()
	l.mu.Lock()
	l.quota.asking, l.quota.stale, l.quota.read = false, false, now
	if err == nil {
		l.learn(got, now)
	}
	l.setRate()
	used := l.quota.used()
	l.mu.Unlock()
	switch {
	case err != nil:
		q.nag(slog.LevelWarn, "quota "+l.id, "cannot read what the connector's account may send", "connector", l.id, "error", clean(err.Error(), maxError))
	case got.Paused:
		q.nag(slog.LevelError, "paused "+l.id, "the provider has paused the connector's account: see its console", "connector", l.id)
	case used >= warnOfDay:
		q.nag(slog.LevelWarn, "day "+l.id, "the connector's mails of the day are nearly used up", "connector", l.id,
			"sent", got.Sent, "day", got.Day, "last", used >= stopOfDay)
	}
}

// learn takes a quota in. The line is locked.
func (l *line) learn(got Quota, now time.Time) {
	before := l.quota.Quota
	l.quota.Quota, l.quota.sent = got, 0
	switch {
	case got.Paused:
		l.circuit.lastError = "the account is paused"
		l.circuit.open(now, l.circuit.config.MaxHalt)
	case before.Paused:
		l.circuit.retry(now)
	}
	l.changed = l.changed || before != got
}

// shared notes how many replicas share the account.
func (l *line) shared(replicas int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quota.replicas = max(1, replicas)
	l.setRate()
}

// setRate keeps to this replica's part of what the account may send. The line is locked.
func (l *line) setRate() {
	if _, ok := l.sender.(Rated); ok && l.quota.read.IsZero() {
		l.limiter.allow(rateUnread, time.Now()) // a backlog waits when a replica starts, or a configuration was mended
		return
	}
	l.limiter.allow(shareOfRate*l.quota.PerSecond/float64(max(1, l.quota.replicas)), time.Now())
}
