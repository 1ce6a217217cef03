package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// keepGuessCounts is how long it is kept what was guessed: longer than the longest window
// of the alarm, which is a day.
const keepGuessCounts = 49 * time.Hour

// Alarms reads those that were ever raised, by name.
func (db *DB) Alarms(ctx context.Context) ([]store.Alarm, error) {
	var out []store.Alarm
	err := db.engine.Read(ctx, `SELECT name, raised_at, ended_at FROM alarm ORDER BY name`, nil, func(scan func(...any) error) error {
		var a store.Alarm
		err := scan((*string)(&a.Name), into(&a.Raised), into(&a.Ended))
		out = append(out, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read alarms: %w", err)
	}
	return out, nil
}

// RaiseAlarm raises an alarm that was seen as it is in seen. Of replicas that see the same at the
// same time one does it, and has it told in the audit log; the others get
// [store.Changed], and so does who has seen it before it was on and over again.
func (db *DB) RaiseAlarm(ctx context.Context, seen store.Alarm, told ...store.Event) error {
	const op = "raise alarm"
	now := db.now()
	var s Script
	s.Do(`
		INSERT INTO alarm (name, raised_at) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET raised_at = excluded.raised_at, ended_at = NULL WHERE alarm.ended_at = $3`+racyAlso,
		string(seen.Name), now, stamp(seen.Ended)).Need(op, store.Changed)
	return db.alarmed(ctx, op, now, &s, told)
}

// EndAlarm ends an alarm. The error is [store.Changed] if it is not the one that was seen.
func (db *DB) EndAlarm(ctx context.Context, seen store.Alarm, told ...store.Event) error {
	const op = "end alarm"
	now := db.now()
	var s Script
	s.Do(`UPDATE alarm SET ended_at = $2 WHERE name = $1 AND (ended_at IS NULL AND raised_at = $3`+racyAlso+`)`,
		string(seen.Name), now, stamp(seen.Raised)).Need(op, store.Changed)
	return db.alarmed(ctx, op, now, &s, told)
}

func (db *DB) alarmed(ctx context.Context, op string, now int64, s *Script, told []store.Event) error {
	for _, e := range told {
		tell(s, now, e)
	}
	if err := db.engine.Run(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// CountGuesses writes down what a replica has counted so far in some stretches of time. It says
// how much in all and not how much more: said twice, it counts once.
func (db *DB) CountGuesses(ctx context.Context, replica store.ID, counts []store.GuessCount) error {
	s := Script{Idempotent: true}
	for _, c := range counts {
		s.Do(`
			INSERT INTO guess_count (at, replica, missed, redeemed) VALUES ($1, $2, $3, $4)
			ON CONFLICT (at, replica) DO UPDATE SET missed = excluded.missed, redeemed = excluded.redeemed`,
			c.At.UnixMicro(), replica[:], int64(c.Missed), int64(c.Redeemed))
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("count guesses: %w", err)
	}
	return nil
}

const sumGuesses = `
	SELECT CAST(COALESCE(SUM(missed), 0) AS BIGINT), CAST(COALESCE(SUM(redeemed), 0) AS BIGINT),
	  CAST(COALESCE(SUM(CASE WHEN at >= $2 THEN missed ELSE 0 END), 0) AS BIGINT),
	  CAST(COALESCE(SUM(CASE WHEN at >= $2 THEN redeemed ELSE 0 END), 0) AS BIGINT)
	FROM guess_count WHERE at >= $1`

// GuessSums sums up what all replicas have counted: some hundred rows each a day, found by
// their key.
func (db *DB) GuessSums(ctx context.Context, w store.GuessWindows) (store.GuessSums, error) {
	sums := store.GuessSums{Since: store.GuessCount{At: w.Since}, Lately: store.GuessCount{At: w.Lately}}
	err := db.one(ctx, "sum guesses up", sumGuesses, []any{w.Since.UnixMicro(), w.Lately.UnixMicro()},
		&sums.Since.Missed, &sums.Since.Redeemed, &sums.Lately.Missed, &sums.Lately.Redeemed)
	return sums, err
}

// forgetGuesses removes counts that no window reaches.
func forgetGuesses(s *Script, now int64) *Step {
	return s.Do(`DELETE FROM guess_count WHERE at < $1`, now-micro(keepGuessCounts))
}
