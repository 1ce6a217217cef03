package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// takeUnits takes as many units at once as the caller asks for, or none. As elsewhere a
// refusal writes nothing, and the WHERE of the upsert decides again under the row lock.
const takeUnits = `
	INSERT INTO budget (key, tat, tat2, taker)
	SELECT $1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT), CAST($2 AS BIGINT), $4
	WHERE NOT EXISTS (SELECT 1 FROM budget WHERE key = $1 AND (tat > $5 OR taker = $4))
	ON CONFLICT (key) DO UPDATE SET
	  tat = CASE WHEN budget.tat > $2 THEN budget.tat + (excluded.tat - $2) ELSE excluded.tat END, taker = excluded.taker
	WHERE budget.tat <= $5` + racyAlso

// TakeUnits takes up to so many units of a limit with one window at once, and leaves the last
// kept ones of it. It takes all of them, or one, or none: who is given less than he asked for
// is near the end, where one at a time is right. [DB.Refund] gives them back. If the answer is
// lost, so are the units: the limit is never exceeded.
func (db *DB) TakeUnits(ctx context.Context, l store.Limit, units, kept int) (taken int, err error) {
	now, by := db.now(), attempt()
	unit, _ := spacing(l.Windows[0])
	var s Script
	take := func(n int) *Step {
		room := l.Windows[0].Period.Microseconds() - unit*int64(kept+n)
		if room < 0 {
			return &Step{}
		}
		return s.Do(takeUnits, l.Key[:], now, unit*int64(n), by[:], now+room)
	}
	all, one := take(units), &Step{}
	if units > 1 {
		one = take(1)
	}
	if len(s.Steps) == 0 {
		return 0, nil
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return 0, fmt.Errorf("take from limit %s: %w", l.Name, err)
	}
	if all.Rows == 1 {
		return units, nil
	}
	return int(one.Rows), nil
}

// WholeAgain tells when all units of the first window of a limit are there again; a time that
// has passed if they are now. Each unit that was taken moves it by the time that one takes to
// come back.
func (db *DB) WholeAgain(ctx context.Context, l store.Limit) (time.Time, error) {
	var at time.Time
	err := db.engine.Read(ctx, `SELECT tat FROM budget WHERE key = $1`, []any{l.Key[:]}, func(scan func(...any) error) error { return scan(into(&at)) })
	if err != nil {
		return at, fmt.Errorf("read limit %s: %w", l.Name, err)
	}
	return at, nil
}
