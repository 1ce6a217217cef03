package mailer

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// nags remembers what was complained about, so that a lasting fault is one log
// line a minute and not one a mail.
type nags struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (q *Queue) nag(level slog.Level, about, msg string, args ...any) {
	q.nags.mu.Lock()
	now := time.Now()
	quiet := now.Sub(q.nags.last[about]) < time.Minute
	if !quiet {
		q.nags.last[about] = now
	}
	q.nags.mu.Unlock()
	if !quiet {
		q.log.Log(context.Background(), level, msg, args...)
	}
}
