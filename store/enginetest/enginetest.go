// Package enginetest is the fine print of what both engines promise about
// scripts, whatever runs in them: see [sqlstore.Engine]. The contract of the
// operations, and the outline of the engines', is in storetest.
package enginetest

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// Fresh makes an empty database; what it returns opens one more engine on it.
type Fresh func(t *testing.T) (open func() sqlstore.Engine)

// table is the scratch table of the tests; the types exist on both engines.
const table = `CREATE TABLE thing (id BIGINT PRIMARY KEY, n BIGINT NOT NULL, name TEXT UNIQUE, data %s)`

// Run holds an engine against its promises. bytes is its type for bytes.
func Run(t *testing.T, bytes string, fresh Fresh) {
	for name, test := range map[string]func(*testing.T, func() sqlstore.Engine){
		"Rows":             testRows,
		"Values":           testValues,
		"DestStaysAsItWas": testDestStays,
		"Unique":           testUnique,
		"OneFailsAlone":    testOneFails,
		"Need":             testNeed,
		"Canceled":         testCanceled,
		"Left":             testLeft,
		"LeftReading":      testLeftReading,
		"Read":             testRead,
		"Bug":              testBug,
		"Closed":           testClosed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := fresh(t)
			do(t, open, fmt.Sprintf(table, bytes))
			test(t, open)
		})
	}
}

func start(t *testing.T, open func() sqlstore.Engine) sqlstore.Engine {
	t.Helper()
	e := open()
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// do runs statements, each in a script of its own.
func do(t *testing.T, open func() sqlstore.Engine, statements ...string) {
	t.Helper()
	e := open()
	defer func() { _ = e.Close() }()
	for _, sql := range statements {
		var s sqlstore.Script
		s.Do(sql)
		no(t, e.Run(t.Context(), &s))
	}
}

func no(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, e sqlstore.Engine, query string, args ...any) (n int64) {
	t.Helper()
	no(t, e.Read(t.Context(), query, args, func(scan func(...any) error) error { return scan(&n) }))
	return n
}

const insert = `INSERT INTO thing (id, n, name) VALUES ($1, $2, $3)`

func testRows(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	var s sqlstore.Script
	var id, first int64
	steps := []*sqlstore.Step{
		s.Do(insert, 1, 5, "a"),
		s.Do(insert+` RETURNING id`, 2, 6, "b").Into(&id),
		s.Do(insert+` RETURNING id, name`, 3, 7, "c"), // nobody wants what it returns
		s.Do(`UPDATE thing SET n = n + 1 WHERE id > $1`, 1),
		s.Do(`UPDATE thing SET n = n WHERE id > $1 RETURNING id`, 99).Into(&id),
		s.Do(`SELECT n FROM thing ORDER BY id DESC`).Into(&first),
		s.Do(`SELECT n FROM thing`),
		s.Do(insert+` ON CONFLICT DO NOTHING`, 1, 5, "a"),
		s.Do(`DELETE FROM thing WHERE id < $1`, 3),
	}
	no(t, e.Run(t.Context(), &s))
	var got []int64
	for _, step := range steps {
		got = append(got, step.Rows)
	}
	if want := []int64{1, 1, 1, 2, 0, 3, 3, 0, 2}; !slices.Equal(got, want) {
		t.Errorf("row counts %v, want %v", got, want)
	}
	if id != 2 || first != 8 {
		t.Errorf("got id %d and n %d; want 2 and 8, the first row", id, first)
	}
}

type word string

// Value implements [driver.Valuer].
func (w word) Value() (driver.Value, error) { return "<" + string(w) + ">", nil }

// Scan implements [database/sql.Scanner].
func (w *word) Scan(v any) error {
	switch v := v.(type) {
	case string:
		*w = word("scanned " + v)
	case nil:
		*w = "null"
	default:
		return fmt.Errorf("scan word from %T", v)
	}
	return nil
}

func testValues(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	var s sqlstore.Script
	var w, null word
	var data, none, empty []byte
	var n16 int16
	var n int
	s.Do(`INSERT INTO thing (id, n, name, data) VALUES ($1, $2, $3, $4)`, int16(1), 1<<40, word("x"), []byte{0, 255})
	s.Do(`INSERT INTO thing (id, n, name, data) VALUES ($1, $2, $3, $4)`, int64(2), 7, nil, []byte{})
	s.Do(`SELECT CAST(id AS SMALLINT), n, name, data, CAST(NULL AS TEXT) FROM thing WHERE id = $1`, 1).Into(&n16, &n, &w, &data, &null)
	s.Do(`SELECT data FROM thing WHERE id = $1`, 2).Into(&empty)
	s.Do(`INSERT INTO thing (id, n, data) VALUES ($1, $2, $3) RETURNING data`, 3, 0, []byte(nil)).Into(&none)
	no(t, e.Run(t.Context(), &s))
	if n16 != 1 || n != 1<<40 || w != "scanned <x>" || null != "null" || string(data) != "\x00\xff" || len(empty) != 0 || none != nil {
		t.Errorf("got %d %d %q %q %x %x %x", n16, n, w, null, data, empty, none)
	}
	if c := number(t, e, `SELECT COUNT(*) FROM thing WHERE data IS NULL`); c != 1 {
		t.Errorf("%d rows without bytes, want one: empty is not NULL, nil is", c)
	}
}

// Without a row a destination is not touched; nor is it when the script fails.
func testDestStays(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	kept, lost := int64(42), int64(43)
	var s sqlstore.Script
	s.Do(`SELECT n FROM thing`).Into(&kept)
	no(t, e.Run(t.Context(), &s))
	var failing sqlstore.Script
	failing.Do(insert+` RETURNING id`, 1, 0, "a").Into(&lost)
	failing.Do(insert, 1, 0, "a")
	if err := e.Run(t.Context(), &failing); err == nil {
		t.Error("no error")
	}
	if kept != 42 || lost != 43 {
		t.Errorf("the destinations became %d and %d", kept, lost)
	}
}

func testUnique(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	for i, want := range []store.Code{"", store.Conflict} {
		var s sqlstore.Script
		s.Do(insert, i, 0, "same")
		if err := e.Run(t.Context(), &s); store.CodeOf(err) != want {
			t.Errorf("insert %d: %v, want code %q", i, err, want)
		}
	}
}

// Of many scripts at once, those that fail take no other one with them.
func testOneFails(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	const scripts = 200
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range scripts {
		wg.Go(func() {
			<-gate
			var s sqlstore.Script
			s.Do(insert, i, 0, nil)
			if i%5 == 0 {
				s.Do(insert, i, 0, nil)
			}
			err := e.Run(t.Context(), &s)
			if want := i%5 == 0; (store.CodeOf(err) == store.Conflict) != want {
				t.Errorf("script %d: %v", i, err)
			}
		})
	}
	close(gate)
	wg.Wait()
	if n := number(t, e, `SELECT COUNT(*) FROM thing`); n != scripts*4/5 {
		t.Errorf("%d rows, want %d", n, scripts*4/5)
	}
}

// A caller who has gone is told so, and his script does not run.
func testCanceled(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var s sqlstore.Script
	s.Do(insert, 1, 0, "a")
	if err := e.Run(ctx, &s); !errors.Is(err, context.Canceled) || store.CodeOf(err) != "" {
		t.Errorf("run: %v, want the cancellation", err)
	}
	err := e.Read(ctx, `SELECT 1`, nil, func(func(...any) error) error { return nil })
	if !errors.Is(err, context.Canceled) || store.CodeOf(err) != "" {
		t.Errorf("read: %v, want the cancellation", err)
	}
	if n := number(t, e, `SELECT COUNT(*) FROM thing`); n != 0 {
		t.Error("the script ran")
	}
}

// A caller who leaves at whatever moment is told that his script was done, or that he has left
// and it was not: never one thing while the other is true.
func testLeft(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	const workers, each = 3, 100
	told := [workers * each]error{}
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w * each; i < (w+1)*each; i++ {
				ctx, leave := context.WithCancel(t.Context())
				if i%each > 0 { // the first one opens and prepares
					time.AfterFunc(time.Duration(i%20)*50*time.Microsecond, leave)
				}
				var s sqlstore.Script
				id := int64(-1)
				step := s.Do(insert+` RETURNING id`, i, 0, nil).Into(&id)
				told[i] = e.Run(ctx, &s)
				leave()
				if told[i] == nil && (step.Rows != 1 || id != int64(i)) || told[i] != nil && (step.Rows != 0 || id != -1) {
					t.Errorf("script %d: %v, and %d rows with %d", i, told[i], step.Rows, id)
				}
			}
		})
	}
	all.Wait()
	time.Sleep(100 * time.Millisecond) // what was on its way has arrived
	for i, err := range told {
		done := number(t, e, `SELECT COUNT(*) FROM thing WHERE id = $1`, i) == 1
		if err != nil && !errors.Is(err, context.Canceled) || done != (err == nil) {
			t.Errorf("script %d: done %t, told %v", i, done, err)
		}
	}
}

// Who leaves in the middle of a long read gets no more rows, soon.
func testLeftReading(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	rows := 0
	err := e.Read(ctx, `WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 100000) SELECT n FROM count`, nil,
		func(func(...any) error) error {
			if rows++; rows == 3 {
				leave()
			}
			return nil
		})
	if !errors.Is(err, context.Canceled) || store.CodeOf(err) != "" || rows != 3 {
		t.Errorf("%v after %d rows, want the cancellation after three", err, rows)
	}
	if n := number(t, e, `SELECT 1`); n != 1 {
		t.Error(n)
	}
}

func testRead(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	var s sqlstore.Script
	for i := range 5 {
		s.Do(insert, i, i*i, fmt.Sprint(i))
	}
	no(t, e.Run(t.Context(), &s))
	var got []int64
	var names []string
	no(t, e.Read(t.Context(), `SELECT n, name FROM thing WHERE id > $1 ORDER BY id`, []any{1}, func(scan func(...any) error) error {
		got, names = append(got, 0), append(names, "")
		return scan(&got[len(got)-1], &names[len(names)-1])
	}))
	if !slices.Equal(got, []int64{4, 9, 16}) || !slices.Equal(names, []string{"2", "3", "4"}) {
		t.Errorf("read %v %v", got, names)
	}
	stop := errors.New("stop")
	calls := 0
	err := e.Read(t.Context(), `SELECT n FROM thing`, nil, func(func(...any) error) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d rows, want the caller's error after one", err, calls)
	}
	if err := e.Read(t.Context(), `SELECT n FROM nothing`, nil, func(func(...any) error) error { return nil }); err == nil {
		t.Error("no error for a table that does not exist")
	}
}

// A broken statement is a bug, not a database that is away.
func testBug(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	var n int64
	for _, s := range []sqlstore.Script{
		{Steps: []*sqlstore.Step{{SQL: `SELEC 1`}}},
		{Steps: []*sqlstore.Step{{SQL: insert, Args: []any{1}}}},
		{Steps: []*sqlstore.Step{{SQL: insert, Args: []any{struct{}{}, 1, 1}}}},
		{Steps: []*sqlstore.Step{{SQL: `SELECT 'text'`, Dest: []any{&n}}}},
	} {
		if err := e.Run(t.Context(), &s); err == nil || store.CodeOf(err) != "" {
			t.Errorf("%s %v: %v", s.Steps[0].SQL, s.Steps[0].Args, err)
		}
	}
	if n := number(t, e, `SELECT COUNT(*) FROM thing`); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func testClosed(t *testing.T, open func() sqlstore.Engine) {
	e := open()
	no(t, e.Close())
	var s sqlstore.Script
	s.Do(insert, 1, 0, "a")
	if err := e.Run(t.Context(), &s); store.CodeOf(err) != store.Unavailable {
		t.Errorf("run on a closed engine: %v", err)
	}
}

// A step that needs a row and finds none takes the whole script back.
func testNeed(t *testing.T, open func() sqlstore.Engine) {
	e := start(t, open)
	do(t, open, `INSERT INTO thing (id, n) VALUES (1, 1)`)
	run := func(id int) (*sqlstore.Step, error) {
		var s sqlstore.Script
		s.Do(`INSERT INTO thing (id, n) VALUES ($1, 0)`, 100+id)
		step := s.Do(`UPDATE thing SET n = n + 1 WHERE id = $1 RETURNING n`, id).Into(new(int64)).Need("test", store.NotFound)
		s.Do(`UPDATE thing SET n = n + 10 WHERE id = 1`)
		return step, e.Run(t.Context(), &s)
	}
	if _, err := run(2); store.CodeOf(err) != store.NotFound {
		t.Fatalf("got %v, want %s", err, store.NotFound)
	}
	if n := number(t, e, `SELECT n FROM thing WHERE id = 1`); n != 1 {
		t.Errorf("what followed was written: %d", n)
	}
	if n := number(t, e, `SELECT COUNT(*) FROM thing`); n != 1 {
		t.Errorf("what came before was written: %d rows", n)
	}
	step, err := run(1)
	no(t, err)
	if n := number(t, e, `SELECT n FROM thing WHERE id = 1`); n != 12 || step.Rows != 1 {
		t.Errorf("n is %d after %d rows", n, step.Rows)
	}
	// Among others at the same time, on SQLite in one commit with them.
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if _, err := run(1 + i%2*1000 + i); (i == 0) != (err == nil) && store.CodeOf(err) != store.NotFound && store.CodeOf(err) != store.Conflict {
				t.Errorf("script %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if n := number(t, e, `SELECT COUNT(*) FROM thing`); n != 2 {
		t.Errorf("%d rows after scripts that were taken back", n)
	}
}
