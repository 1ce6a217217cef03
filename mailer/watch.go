package mailer

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"idp/store"
)

// watchEvery is how often the connectors are looked after.
const watchEvery = time.Second

// watch looks after the connectors until ctx ends: reads what their accounts may
// send, tells the other replicas how we get on with them, and counts those replicas.
func (q *Queue) watch(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	var counted time.Time
	forgotten := false
	for ok := true; ok; ok = sleep(ctx, watchEvery) {
		now := time.Now()
		forgotten = forgotten || q.forgetAlarm(ctx)
		q.watchCeiling(ctx)
		lines := q.lines(ctx)
		for _, l := range lines {
			if rated, due := l.askDue(now); due {
				asking.Go(func() { q.readQuota(ctx, l, rated) })
			}
			q.tell(ctx, l, now)
		}
		if len(lines) > 0 && now.Sub(counted) >= healthEvery {
			q.count(ctx, lines)
			counted = now
		}
	}
}

// tell writes down how we get on with a connector, if that changed or is due.
func (q *Queue) tell(ctx context.Context, l *line, now time.Time) {
	l.mu.Lock()
	due := l.changed || now.Sub(l.told) >= healthEvery
	health := l.health(now)
	l.changed = false
	l.mu.Unlock()
	if !due {
		return
	}
	text, err := json.Marshal(health)
	if err == nil {
		err = q.store.SetConnectorHealth(ctx, store.ConnectorHealth{Connector: l.id, Replica: q.replica, Health: text})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.changed = true
		if ctx.Err() == nil {
			q.nag(slog.LevelWarn, "health", "cannot write down how the connectors do", "error", err)
		}
		return
	}
	l.told = now
}

// count counts the replicas that share each connector's account.
func (q *Queue) count(ctx context.Context, lines []*line) {
	rows, err := q.store.ConnectorHealth(ctx)
	if err != nil {
		return // the count before holds on
	}
	replicas := map[string]int{}
	for _, r := range fresh(rows, q.now()) {
		replicas[r.Connector]++
	}
	for _, l := range lines {
		l.shared(replicas[l.id])
	}
}
