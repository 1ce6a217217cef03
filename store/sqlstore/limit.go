package sqlstore

import (
	"bytes"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"idp/store"
)

// A budget row is a GCRA cell (ITU-T I.371): tat, the theoretical arrival time,
// moves up by period/count for each unit taken, and a unit may be taken while tat
// lies at most period - period/count ahead of now. One row holds both windows of
// a limit, and what it gives without a proof (tat3), so that one lock decides over all.
//
// The guard "NOT EXISTS … tat > cutoff" comes before the upsert, so that a refusal
// writes and locks nothing; the WHERE of the upsert decides again under the row
// lock, so that a parallel burst cannot pass a budget that was only read. The
// taker marks the row for the rest of the script: the row stays locked until the
// commit, so nobody else can have become the taker in between. An attempt that is
// the taker already (a script sent twice) is not charged again.
const (
	takeSelect = `
		INSERT INTO budget (key, tat, tat2, taker)
		SELECT $1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT), CAST($2 AS BIGINT) + CAST($4 AS BIGINT), $5
		FROM `
	takeWhere = `
		WHERE NOT EXISTS (SELECT 1 FROM budget WHERE key = $1 AND (tat > $6 OR tat2 > $7 OR taker = $5))
		  AND (CAST($8 AS SMALLINT) = 1 OR EXISTS (SELECT 1 FROM budget WHERE key = $9 AND taker = $5))
		ON CONFLICT (key) DO UPDATE SET
		  tat = CASE WHEN budget.tat > $2 THEN budget.tat + (excluded.tat - $2) ELSE excluded.tat END,
		  tat2 = CASE WHEN budget.tat2 > $2 THEN budget.tat2 + (excluded.tat2 - $2) ELSE excluded.tat2 END,
		  taker = excluded.taker
		WHERE budget.tat <= $6 AND budget.tat2 <= $7` + racyAlso

	// sendSelect and sendWhere are the same for a limit that gives some of its units without
	// a proof ($11, $12: as $3 and $6 are for tat). Who has shown one brings $11 as 0 and
	// $12 as far away: he is let through, and leaves tat3 as it is.
	sendSelect = `
		INSERT INTO budget (key, tat, tat2, tat3, taker)
		SELECT $1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT), CAST($2 AS BIGINT) + CAST($4 AS BIGINT), CAST($2 AS BIGINT) + CAST($11 AS BIGINT), $5
		FROM `
	sendWhere = `
		WHERE NOT EXISTS (SELECT 1 FROM budget WHERE key = $1 AND (tat > $6 OR tat2 > $7 OR tat3 > $12 OR taker = $5))
		  AND (CAST($8 AS SMALLINT) = 1 OR EXISTS (SELECT 1 FROM budget WHERE key = $9 AND taker = $5))
		ON CONFLICT (key) DO UPDATE SET
		  tat = CASE WHEN budget.tat > $2 THEN budget.tat + (excluded.tat - $2) ELSE excluded.tat END,
		  tat2 = CASE WHEN budget.tat2 > $2 THEN budget.tat2 + (excluded.tat2 - $2) ELSE excluded.tat2 END,
		  tat3 = CASE WHEN budget.tat3 > $2 THEN budget.tat3 + (excluded.tat3 - $2) ELSE excluded.tat3 END,
		  taker = excluded.taker
		WHERE budget.tat <= $6 AND budget.tat2 <= $7 AND budget.tat3 <= $12` + racyAlso

	// takeBegin charges one unit, unless the challenge exists already.
	takeBegin = sendSelect + `(
		  SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM challenge WHERE id = $10)) AS c` + sendWhere

	// takeResend charges one unit if the challenge may send now.
	takeResend = sendSelect + `(
		  SELECT 1 FROM challenge
		  WHERE id = $10 AND browser = $13 AND request = $14 AND ` + mayResend + `) AS c` + sendWhere
)

// spacing gives what one unit adds to tat, and how far tat may be ahead of now.
func spacing(w store.Window) (unit, room int64) {
	if w.Count == 0 {
		return 0, math.MaxInt64 / 4
	}
	unit = w.Period.Microseconds() / int64(w.Count)
	return unit, w.Period.Microseconds() - unit
}

// take appends a statement that takes from l, provided that the limit after was
// taken in this script by the same attempt. A zero limit appends nothing. It
// returns the limit that later statements have to ask for.
func take(s *Script, sql string, now int64, l, after store.Limit, by store.Hash, more ...any) store.Limit {
	if l.IsZero() {
		return after
	}
	u1, r1 := spacing(l.Windows[0])
	u2, r2 := spacing(l.Windows[1])
	args := []any{l.Key[:], now, u1, u2, by[:], now + r1, now + r2, flag(after.IsZero()), after.Key[:]}
	s.Do(sql, append(args, more...)...)
	return l
}

// takeSend is take for the statements that send a code on a challenge.
func takeSend(s *Script, sql string, now int64, l, after store.Limit, by store.Hash, challenge store.ID, more ...any) store.Limit {
	unit, room := spacing(l.Free)
	return take(s, sql, now, l, after, by, append([]any{challenge[:], unit, now + room}, more...)...)
}

// limited tells which of the limits refuses now and how long it will; an empty
// name when none does.
func (db *DB) limited(ctx context.Context, now int64, limits ...store.Limit) (name string, wait time.Duration, err error) {
	for _, l := range limits {
		if l.IsZero() {
			continue
		}
		var tat, tat2 int64
		err := db.engine.Read(ctx, `SELECT tat, tat2 FROM budget WHERE key = $1`, []any{l.Key[:]},
			func(scan func(...any) error) error { return scan(&tat, &tat2) })
		if err != nil {
			return "", 0, err
		}
		for i, t := range []int64{tat, tat2} {
			_, room := spacing(l.Windows[i])
			if over := t - now - room; over > micro(wait) { // in microseconds: nanoseconds of no window at all overflow
				name, wait = l.Name, time.Duration(over)*time.Microsecond
			}
		}
	}
	return name, wait, nil
}

// unproven tells how long a limit refuses those who show no proof.
func (db *DB) unproven(ctx context.Context, now int64, l store.Limit) (wait time.Duration, err error) {
	if l.IsZero() || l.Free.Count == 0 {
		return 0, nil
	}
	_, room := spacing(l.Free)
	err = db.engine.Read(ctx, `SELECT tat3 FROM budget WHERE key = $1`, []any{l.Key[:]}, func(scan func(...any) error) error {
		var tat int64
		err := scan(&tat)
		wait = time.Duration(tat-now-room) * time.Microsecond
		return err
	})
	return wait, err
}

// Refund gives units back to limits, in key order, so that two refunds never wait
// for each other crosswise. It runs after the commit that earned it; losing it
// costs the visitor a little room and nothing else.
func (db *DB) Refund(ctx context.Context, units map[store.Limit]int) error {
	var s Script
	byKey := func(a, b store.Limit) int { return bytes.Compare(a.Key[:], b.Key[:]) }
	for _, l := range slices.SortedFunc(maps.Keys(units), byKey) {
		u1, _ := spacing(l.Windows[0])
		u2, _ := spacing(l.Windows[1])
		u3, _ := spacing(l.Free)
		n := int64(units[l])
		s.Do(`UPDATE budget SET tat = tat - $2, tat2 = tat2 - $3, tat3 = tat3 - $4 WHERE key = $1`, l.Key[:], n*u1, n*u2, n*u3)
	}
	return db.engine.Run(ctx, &s)
}
