package sqlstore

import (
	"bytes"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
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
// the taker already (a script sent twice) is not charged again, from either pool:
// between the two runs the browser may have become known.
//
// A limit of an address has pools: each browser that is known for the address has
// one of its own, all others share one. The same statement that charges picks it, so
// a browser that is being forgotten at this moment is charged in one of the two.
//
// A limit of a network gives some of its units without a proof ($unit and $until: as $3 and
// $6 are for tat). Who has shown one brings $unit as 0 and $until as far away: he is let
// through, and leaves tat3 as it is.
const (
	takeOne = `
		INSERT INTO budget (key, tat, tat2, taker)
		SELECT $1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT), CAST($2 AS BIGINT) + CAST($4 AS BIGINT), $5
		FROM (SELECT 1$from$where) AS asked
		WHERE NOT EXISTS (SELECT 1 FROM budget WHERE key = $1 AND (tat > $6 OR tat2 > $7 OR taker = $5))$after` + takeAgain + takeIfRoom + racyAlso

	takeFree = `
		INSERT INTO budget (key, tat, tat2, tat3, taker)
		SELECT $1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT), CAST($2 AS BIGINT) + CAST($4 AS BIGINT), CAST($2 AS BIGINT) + CAST($unit AS BIGINT), $5
		FROM (SELECT 1$from$where) AS asked
		WHERE NOT EXISTS (SELECT 1 FROM budget WHERE key = $1 AND (tat > $6 OR tat2 > $7 OR tat3 > $until OR taker = $5))$after` + takeAgain + `,
		  tat3 = CASE WHEN budget.tat3 > $2 THEN budget.tat3 + (excluded.tat3 - $2) ELSE excluded.tat3 END` + takeIfRoom + ` AND budget.tat3 <= $until` + racyAlso

	// The LIMIT keeps the database from asking more than once whether the browser is known.
	takePool = `
		INSERT INTO budget (key, tat, tat2, taker)
		SELECT pool.key, CAST($2 AS BIGINT) + CAST($3 AS BIGINT), CAST($2 AS BIGINT) + CAST($4 AS BIGINT), $5
		FROM (SELECT CASE WHEN who.known = 1 THEN $pool ` + typed + ` ELSE $1 END AS key$guesses
		    FROM (SELECT CASE WHEN $known THEN 1 ELSE 0 END AS known LIMIT 1) AS who) AS pool$join
		WHERE $rows AND NOT EXISTS (SELECT 1 FROM budget WHERE key IN ($1, $pool) AND (taker = $5 OR key = pool.key AND (tat > $6 OR tat2 > $7)))$after` + takeAgain + takeIfRoom + racyAlso

	// typed is a branch of a CASE that is never taken: it tells Postgres the type of the
	// others.
	typed = `WHEN 1 = 0 THEN (SELECT key FROM budget LIMIT 1)`

	takeAgain = `
		ON CONFLICT (key) DO UPDATE SET
		  tat = CASE WHEN budget.tat > $2 THEN budget.tat + (excluded.tat - $2) ELSE excluded.tat END,
		  tat2 = CASE WHEN budget.tat2 > $2 THEN budget.tat2 + (excluded.tat2 - $2) ELSE excluded.tat2 END,
		  taker = excluded.taker`
	takeIfRoom = `
		WHERE budget.tat <= $6 AND budget.tat2 <= $7`
)

// taking is a statement that takes a unit from a limit if the rows that it asks for are
// there. Preparing what a statement might ask costs Postgres as much as asking it does: so
// there is a text for each place that a limit has among those of an attempt, and each asks
// for no more than it has to.
//
// The parameters are those of [taker.take]: seven of the limit, those of the rows, of
// what is free, of the pool, of the guesses' room, and of what was charged before.
type taking struct {
	free bool // a limit may give some of its units without a proof

	one, pool [placings]string // a limit without pools, and one with
}

// The places of a limit among those of an attempt.
const (
	first     = iota // nothing was charged before
	roomy            // the same, and the guesses have to have room
	after            // a limit without pools was charged before
	afterPool        // one with pools was
	placings
)

// takingFrom makes the statements; from and where are what they ask for, with args parameters
// from $8 on.
func takingFrom(args int, free bool, from, where string) taking {
	t := taking{free: free}
	for place := range placings {
		t.one[place] = takeText(takeOne, takeOneFrom(from), where, 8+args, place)
		if free {
			t.one[place] = takeText(takeFree, takeOneFrom(from), where, 8+args, place)
		}
		t.pool[place] = takeText(takePool, from, where, 8+args, place)
	}
	return t
}

func takeOneFrom(from string) string { return strings.Replace(from, ", ", " FROM ", 1) }

// takeText fills one text; its parameters from next on are those that only some have.
func takeText(text, from, where string, next, place int) string {
	param := func() string { next++; return dollar(next - 1) }
	inPool := text == takePool
	r := []string{"$from", from, "$join", from, "$rows", where}
	if text == takeFree {
		r = append(r, "$unit", param(), "$until", param())
	}
	guesses := ""
	if inPool {
		r = append(r, "$pool", param(), "$known", known("$2", param(), param(), param()))
	}
	switch {
	case place == roomy && inPool:
		key, pool := param(), param()
		guesses = `, CASE WHEN who.known = 1 THEN ` + pool + ` ` + typed + ` ELSE ` + key + ` END AS guesses`
		r = append(r, "$after", ` AND NOT EXISTS (SELECT 1 FROM budget WHERE key = pool.guesses AND (tat > `+param()+` OR tat2 > `+param()+`))`)
	case place == roomy:
		r = append(r, "$after", "")
		where += " AND " + hasRoom("$2", next)
	case place == after:
		r = append(r, "$after", ` AND EXISTS (SELECT 1 FROM budget WHERE key = `+param()+` AND taker = $5)`)
	case place == afterPool:
		r = append(r, "$after", ` AND EXISTS (SELECT 1 FROM budget WHERE key IN (`+param()+`, `+param()+`) AND taker = $5)`)
	default:
		r = append(r, "$after", "")
	}
	return strings.NewReplacer(append(r, "$guesses", guesses, "$where", " WHERE "+where)...).Replace(text)
}

func dollar(n int) string { return "$" + strconv.Itoa(n) }

// hasRoom is whether the pool of a limit that a browser would use has room; its
// parameters, [pools.room], are those from next on. Mostly neither pool is full, and nobody
// asks which it is.
func hasRoom(now string, next int) string {
	one, pool := dollar(next), dollar(next+1)
	return `NOT EXISTS (SELECT 1 FROM budget WHERE key IN (` + one + `, ` + pool + `) AND (tat > ` + dollar(next+2) + ` OR tat2 > ` + dollar(next+3) + `)
		    AND CASE WHEN key = ` + pool + ` THEN 1 ELSE 0 END = CASE WHEN ` + known(now, dollar(next+4), dollar(next+5), dollar(next+6)) + ` THEN 1 ELSE 0 END)`
}

var (
	// takeBegin charges one unit, unless the challenge exists already.
	takeBegin = takingFrom(1, true, "", `NOT EXISTS (SELECT 1 FROM challenge WHERE id = $8)`)

	// takeResend charges one unit if the challenge may send now.
	takeResend = takingFrom(3, true, `, challenge`, `id = $8 AND browser = $9 AND request = $10 AND `+mayResend)
)

// pools says whose limits are asked for: which pool it is depends on whether the browser
// is known for the address.
type pools struct {
	address hashes
	browser store.Hash
}

func (p pools) args() []any {
	return []any{p.address.now[:], p.address.former[:], p.browser[:]}
}

func (p pools) room(now int64, l store.Limit) []any {
	_, r1 := spacing(l.Windows[0])
	_, r2 := spacing(l.Windows[1])
	return append([]any{l.Key[:], l.Known[:], now + r1, now + r2}, p.args()...)
}

// spacing gives what one unit adds to tat, and how far tat may be ahead of now.
func spacing(w store.Window) (unit, room int64) {
	if w.Count == 0 {
		return 0, math.MaxInt64 / 4
	}
	unit = w.Period.Microseconds() / int64(w.Count)
	return unit, w.Period.Microseconds() - unit
}

// taker takes the limits of one attempt, one after the other: each only if the one before
// it was taken, the first only if the guesses have room.
type taker struct {
	sql     *taking
	args    []any // of its rows
	now     int64
	by      store.Hash
	pools   pools
	guesses store.Limit // zero: not asked for
	last    store.Limit // what later statements have to ask for
}

// take appends a statement that takes from l. A zero limit appends nothing.
func (t *taker) take(s *Script, l store.Limit) {
	if l.IsZero() {
		return
	}
	u1, r1 := spacing(l.Windows[0])
	u2, r2 := spacing(l.Windows[1])
	args := append([]any{l.Key[:], t.now, u1, u2, t.by[:], t.now + r1, t.now + r2}, t.args...)
	texts := &t.sql.one
	switch {
	case !l.Known.IsZero():
		texts = &t.sql.pool
		args = append(append(args, l.Known[:]), t.pools.args()...)
	case t.sql.free:
		unit, room := spacing(l.Free)
		args = append(args, unit, t.now+room)
	}
	place, last := first, t.last
	switch {
	case t.asks():
		place = roomy
		room := t.pools.room(t.now, t.guesses)
		if !l.Known.IsZero() {
			room = room[:4] // who it is stands before
		}
		args = append(args, room...)
	case last.IsZero():
	case last.Known.IsZero():
		place, args = after, append(args, last.Key[:])
	default:
		place, args = afterPool, append(args, last.Key[:], last.Known[:])
	}
	s.Do(texts[place], args...)
	t.last = l
}

// asks tells whether the next statement has to ask for room for guesses.
func (t *taker) asks() bool { return t.last.IsZero() && !t.guesses.IsZero() }

// limited tells which of the limits refuses now and how long it will; an empty
// name when none does.
func (db *DB) limited(ctx context.Context, now int64, of pools, limits ...store.Limit) (name string, wait time.Duration, err error) {
	for _, l := range limits {
		if l.IsZero() {
			continue
		}
		query, args := `SELECT tat, tat2 FROM budget WHERE key = $1`, []any{l.Key[:]}
		if !l.Known.IsZero() {
			query, args = tatOfPool, append([]any{l.Key[:], l.Known[:], now}, of.args()...)
		}
		var tat, tat2 int64
		err := db.engine.Read(ctx, query, args, func(scan func(...any) error) error { return scan(&tat, &tat2) })
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

var tatOfPool = `
		SELECT tat, tat2 FROM budget WHERE key IN ($1, $2)
		  AND CASE WHEN key = $2 THEN 1 ELSE 0 END = CASE WHEN ` + known("$3", "$4", "$5", "$6") + ` THEN 1 ELSE 0 END`

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
