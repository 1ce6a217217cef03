package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/store"
)

// copying is the fingerprint of a database that is being copied into, its second half being the copy's own:
// no secret has it, so no server serves what is there in part.
var copying = bytes.Repeat([]byte{0xC0}, len(store.Hash{}))

// copyRows is how many rows go over at once, fewer of wide tables.
const copyRows = 500

// maxParams is how many parameters a statement takes on both engines.
const maxParams = 30_000

// table is one with its columns.
type table struct {
	name    string
	columns []string
}

// tables reads what is to be copied: all tables but the record of migrations, users first,
// whom others refer to, and instance last, whose row says that all of it is there.
func tables(ctx context.Context, e Engine) (out []table, err error) {
	err = e.Read(ctx, e.Columns(), nil, func(scan func(...any) error) error {
		var name, column string
		if err := scan(&name, &column); err != nil {
			return err
		}
		if strings.HasPrefix(name, "goose") {
			return nil
		}
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, table{name: name})
		}
		last := &out[len(out)-1]
		last.columns = append(last.columns, column)
		return nil
	})
	place := map[string]int{"users": -1, "instance": 1}
	slices.SortStableFunc(out, func(a, b table) int { return place[a.name] - place[b.name] })
	return out, err
}

// Copied is what became of one table.
type Copied struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// Copy copies everything from one database into another one of the same schema, which is
// empty or was being copied into. Nobody may write to either meanwhile. Errors: [store.Conflict] if the
// target holds something else, or the schemas differ; [store.InUse] if another copy goes on; told hears of progress.
func Copy(ctx context.Context, from, to Engine, told func(table string, rows int64)) (done []Copied, err error) {
	const op = "copy"
	source, err := tables(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("%s: read the schema: %w", op, err)
	}
	target, err := tables(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("%s: read the schema of the target: %w", op, err)
	}
	if err := same(source, target); err != nil {
		return nil, &store.Error{Code: store.Conflict, Op: op, Err: err}
	}
	mine, err := claim(ctx, to, target)
	defer func() {
		if err != nil {
			mine.release(ctx)
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, t := range source {
		n, err := copyTable(ctx, from, mine, t, told)
		if err != nil {
			return done, fmt.Errorf("%s table %s: %w", op, t.name, err)
		}
		there, err := rows(ctx, to, t.name)
		if err != nil {
			return done, fmt.Errorf("%s: count %s: %w", op, t.name, err)
		}
		if there != n {
			return done, &store.Error{Code: store.Conflict, Op: op, Err: fmt.Errorf("the table %s has %d rows here and %d there: something wrote to one of them", t.name, n, there)}
		}
		done = append(done, Copied{t.name, n})
	}
	return done, nil
}

// same tells how two schemas differ.
func same(a, b []table) error {
	names := func(all []table) map[string][]string {
		m := map[string][]string{}
		for _, t := range all {
			m[t.name] = slices.Sorted(slices.Values(t.columns))
		}
		return m
	}
	there := names(b)
	for name, columns := range names(a) {
		if !slices.Equal(columns, there[name]) {
			return fmt.Errorf("the table %s is not the same in both databases", name)
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("one database has %d tables, the other %d", len(a), len(b))
	}
	return nil
}

// copyLease is for how long a copy has the target to itself after it last wrote there. One that was
// killed keeps the next one waiting for as long.
const copyLease = time.Minute

// claimed is a target that this copy has to itself. Each of its scripts first says so, and takes the row of
// the instance with that: another copy's claim waits for it, and finds the lease renewed.
type claimed struct {
	Engine
	mark []byte // what stands in the place of the fingerprint
}

// script begins one that writes nothing unless the target is still this copy's.
func (c claimed) script() *Script {
	s := &Script{Idempotent: true}
	s.Do(`UPDATE instance SET high_water = `+c.Clock()+` + $2 WHERE id = 1 AND secret_check = $1`, c.mark, micro(copyLease)).
		Must = busyTarget()
	return s
}

func busyTarget() error {
	return &store.Error{Code: store.InUse, Op: "copy", Err: errors.New("another copy into this database goes on, or was killed less than a minute ago")}
}

// claim marks the target as one that is being copied into, by this copy. Of several at once one
// does; the error of the others is [store.InUse].
func claim(ctx context.Context, to Engine, all []table) (claimed, error) {
	const op = "copy"
	c := claimed{to, append(slices.Clone(copying[:len(copying)/2]), rand.Text()[:len(copying)-len(copying)/2]...)}
	var seen []byte
	err := to.Read(ctx, `SELECT secret_check FROM instance WHERE id = 1`, nil, func(scan func(...any) error) error { return scan(&seen) })
	if err != nil {
		return c, fmt.Errorf("%s: %w", op, err)
	}
	again := bytes.HasPrefix(seen, copying[:len(copying)/2])
	var s Script
	s.Do(`
		UPDATE instance SET secret_check = $1, high_water = `+to.Clock()+` + $3
		WHERE id = 1 AND (CAST($4 AS SMALLINT) = 1 AND secret_check = $2 AND high_water < `+to.Clock()+`
		  OR CAST($4 AS SMALLINT) = 0 AND (secret_check = $2 OR secret_check IS NULL))`,
		c.mark, append([]byte{}, seen...), micro(copyLease), flag(again)).Must = busyTarget()
	for _, name := range []string{"users", "client", "connector", "event"} {
		if again {
			break
		}
		s.Do(`SELECT 1 FROM instance WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM ` + name + `)`).Into(new(int)).
			Must = &store.Error{Code: store.Conflict, Op: op, Err: errors.New("the target is not empty: it has rows in " + name)}
	}
	if err := to.Run(ctx, &s); err != nil {
		return c, fmt.Errorf("%s: %w", op, err)
	}
	// What migrations put there comes with the source. What an earlier try has brought may have changed since.
	for _, t := range slices.Backward(all) {
		if t.name == "instance" {
			continue
		}
		s := c.script()
		s.Do(`DELETE FROM ` + t.name)
		if err := to.Run(ctx, s); err != nil {
			return c, fmt.Errorf("%s: empty %s: %w", op, t.name, err)
		}
	}
	return c, nil
}

// release lets the next copy begin at once, if this one came to nothing.
func (c claimed) release(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	var s Script
	s.Do(`UPDATE instance SET high_water = 0 WHERE id = 1 AND secret_check = $1`, c.mark)
	_ = c.Run(ctx, &s) // else it waits for the lease to end
}

func rows(ctx context.Context, e Engine, name string) (n int64, err error) {
	err = e.Read(ctx, `SELECT COUNT(*) FROM `+name, nil, func(scan func(...any) error) error { return scan(&n) })
	return n, err
}

// cell is a value as the engine has it.
type cell struct{ v any }

// Scan implements [database/sql.Scanner].
func (c *cell) Scan(v any) error {
	if b, ok := v.([]byte); ok {
		v = append([]byte{}, b...) // never nil: an empty value is not NULL
	}
	c.v = v
	return nil
}

func copyTable(ctx context.Context, from Engine, to claimed, t table, told func(string, int64)) (n int64, err error) {
	if t.name == "instance" { // it is there already
		return 1, copyInstance(ctx, from, to, t)
	}
	most := min(copyRows, maxParams/len(t.columns))
	var waiting []any
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		s := to.script()
		s.Do(insert(t, len(waiting)/len(t.columns)), waiting...)
		waiting = waiting[:0:0]
		return to.Run(ctx, s)
	}
	err = from.Read(ctx, `SELECT `+strings.Join(t.columns, ", ")+` FROM `+t.name, nil, func(scan func(...any) error) error {
		values, err := read(scan, len(t.columns))
		if err != nil {
			return err
		}
		waiting = append(waiting, values...)
		if n++; len(waiting) < most*len(t.columns) {
			return nil
		}
		told(t.name, n)
		return flush()
	})
	return n, errors.Join(err, flush())
}

func read(scan func(...any) error, columns int) ([]any, error) {
	cells, into := make([]cell, columns), make([]any, columns)
	for i := range cells {
		into[i] = &cells[i]
	}
	err := scan(into...)
	for i := range cells {
		into[i] = cells[i].v
	}
	return into, err
}

// copyInstance writes the row that makes the target one that is served.
func copyInstance(ctx context.Context, from Engine, to claimed, t table) error {
	return from.Read(ctx, `SELECT `+strings.Join(t.columns, ", ")+` FROM instance WHERE id = 1`, nil, func(scan func(...any) error) error {
		values, err := read(scan, len(t.columns))
		if err != nil {
			return err
		}
		set := make([]string, len(t.columns))
		for i, c := range t.columns {
			set[i] = c + " = $" + strconv.Itoa(i+1)
		}
		s := to.script()
		s.Idempotent = false // after it the mark is gone
		s.Do(`UPDATE instance SET `+strings.Join(set, ", ")+` WHERE id = 1`, values...)
		return to.Run(ctx, s)
	})
}

// insert is the statement for so many rows.
func insert(t table, rows int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO ` + t.name + ` (` + strings.Join(t.columns, ", ") + `) VALUES `)
	for row, p := 0, 0; row < rows; row++ {
		if row > 0 {
			b.WriteByte(',')
		}
		for i := range t.columns {
			p++
			b.WriteString([]string{",$", "($"}[flag(i == 0)])
			b.WriteString(strconv.Itoa(p))
		}
		b.WriteByte(')')
	}
	b.WriteString(` ON CONFLICT DO NOTHING`)
	return b.String()
}
