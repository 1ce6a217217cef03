package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"idp/store"
	"idp/store/sqlstore"
)

// growing are the tables that grow with people, sign-ins and what strangers and apps send; users
// first, whom others refer to. Those that a sign-in reads and that are not here stay small: what
// operators make (clients, roles, test addresses), and guess_count, with a row a minute and replica
// for two days.
var growing = []string{"users", "session", "challenge", "budget", "auth_code", "oidc_grant", "mail", "device", "event",
	"mute", "suppression", "one_time_token", "assertion", "notification", "user_role"}

// anyValue is a value as the engine has it.
type anyValue struct{ v any }

// Scan implements [database/sql.Scanner].
func (a *anyValue) Scan(v any) error {
	if b, ok := v.([]byte); ok {
		v = slices.Clone(b)
	}
	a.v = v
	return nil
}

// fill has thousands of rows in each table that grows, made after those that are there: ids, hashes
// and addresses are others, and each belongs to another account. Then the planner is told.
func (f *fixture) fill() {
	f.t.Helper()
	const rows = 2000
	bytes, text := "randomblob(%d)", "hex(randomblob(10))"
	if !f.isSQLite() {
		bytes, text = "substr(sha256(uuid_send(gen_random_uuid())), 1, %d)", "replace(CAST(gen_random_uuid() AS TEXT), '-', '')"
	}
	e := f.open()
	defer func() { _ = e.Close() }()
	columns := map[string][]string{}
	f.no(e.Read(f.ctx(), e.Columns(), nil, func(scan func(...any) error) error {
		var table, column string
		err := scan(&table, &column)
		columns[table] = append(columns[table], column)
		return err
	}))
	for _, table := range growing {
		names := columns[table]
		values := make([]string, len(names))
		for i, name := range names {
			values[i] = "one." + name
			switch {
			case name == "id", table == "users" && name == "email":
				values[i] = text
			case name == "user_id":
				values[i] = "person.id"
			}
		}
		f.no(e.Read(f.ctx(), `SELECT `+strings.Join(names, ", ")+` FROM `+table, nil, func(scan func(...any) error) error {
			row, into := make([]anyValue, len(names)), make([]any, len(names))
			for i := range row {
				into[i] = &row[i]
			}
			err := scan(into...)
			for i, name := range names {
				if b, ok := row[i].v.([]byte); ok && len(b) >= 16 {
					values[i] = `CASE WHEN one.` + name + ` IS NULL THEN NULL ELSE ` + fmt.Sprintf(bytes, len(b)) + ` END`
				}
			}
			return err
		}))
		// Each row is doubled, for a person that had none here.
		var s sqlstore.Script
		want := rows
		if table == "users" {
			want *= 2 // some people have none
		}
		for n := f.count(`SELECT COUNT(*) FROM ` + table); n > 0 && n < want; n *= 2 {
			from := `(SELECT * FROM ` + table + `) AS one`
			if slices.Contains(names, "user_id") {
				from = `(SELECT ` + table + `.*, row_number() OVER () AS n FROM ` + table + `) AS one
					JOIN (SELECT id, row_number() OVER () AS n FROM users) AS person ON person.n = one.n + (SELECT COUNT(*) FROM ` + table + `)`
			}
			s.Do(`INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) SELECT ` + strings.Join(values, ", ") + ` FROM ` + from + ` WHERE 1 = 1 ON CONFLICT DO NOTHING`)
		}
		f.no(e.Run(f.ctx(), &s))
		if n := f.count(`SELECT COUNT(*) FROM ` + table); n < rows {
			f.t.Fatalf("%d rows in %s", n, table)
		}
	}
	f.exec(`ANALYZE`)
}

// generic is an engine that notes what is dear in the plans of all statements, as a server has them:
// on Postgres made once, for whatever parameters.
type generic struct {
	explained
	seen *seen
}

// seen is what was looked at: by the test, and by the server's own clock each second.
type seen struct {
	mu    sync.Mutex
	count int
	dear  []string
}

// Run implements [sqlstore.Engine].
func (e generic) Run(ctx context.Context, s *sqlstore.Script) error {
	for _, step := range s.Steps {
		if err := e.look(ctx, step.SQL, step.Args); err != nil {
			return err
		}
	}
	return e.Engine.Run(ctx, s)
}

// Read implements [sqlstore.Engine].
func (e generic) Read(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) error {
	if err := e.look(ctx, query, args); err != nil {
		return err
	}
	return e.Engine.Read(ctx, query, args, row)
}

func (e generic) look(ctx context.Context, query string, args []any) error {
	e.seen.mu.Lock()
	defer e.seen.mu.Unlock()
	e.seen.count++
	if e.SkipLocked() == "" { // SQLite plans before it knows parameters
		return e.explain(ctx, query, args)
	}
	name := "plan" + store.RandomText(10)
	none := strings.TrimSuffix(strings.Repeat("NULL, ", len(args)), ", ")
	if none != "" {
		none = "(" + none + ")"
	}
	var text string
	var s sqlstore.Script
	s.Do(`PREPARE ` + name + ` AS ` + query)
	s.Do(`EXPLAIN (FORMAT JSON) EXECUTE `+name+none).Into(&text).Need("explain", store.NotFound)
	s.Do(`DEALLOCATE ` + name)
	if err := e.Engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("explain %s: %w", query, err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		return err
	}
	for _, p := range plans {
		e.seen.dear = append(e.seen.dear, p.Plan.dear(query)...)
	}
	return nil
}

// node is one of a plan of Postgres.
type node struct {
	Type  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Index string `json:"Index Name"`
	Cond  string `json:"Index Cond"`
	Plans []node
}

// dear names what reads a whole table or index that grows, and what sorts.
func (n node) dear(query string) (out []string) {
	switch {
	case n.Type == "Seq Scan" && slices.Contains(growing, n.Table),
		strings.HasPrefix(n.Type, "Index") && n.Cond == "" && slices.Contains(growing, n.Table),
		n.Type == "Bitmap Index Scan" && n.Cond == "",
		strings.HasSuffix(n.Type, "Sort") && !strings.HasPrefix(query, "SELECT string_agg("): // the names of what one person may do
		out = append(out, fmt.Sprintf("%s on %s %s: %s", n.Type, n.Table, n.Index, query))
	}
	for _, child := range n.Plans {
		out = append(out, child.dear(query)...)
	}
	return out
}

// What a sign-in and what follows ask reads no table from its beginning and sorts nothing, where
// there are thousands of rows and the planner knows of them.
func testFilledPlans(t *testing.T, f *fixture) {
	f.offered()
	f.signInAll()
	f.fill()
	var s seen
	f.db = start(t, func() sqlstore.Engine {
		return generic{explained{f.open(), &s.dear, func(string) bool { return true }, new(sync.Mutex)}, &s}
	})
	f.signInAll()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count < 40 {
		t.Fatalf("%d plans were looked at", s.count)
	}
	slices.Sort(s.dear)
	for _, line := range slices.Compact(s.dear) {
		if !f.isSQLite() || scanned(line) || strings.Contains(line, "TEMP B-TREE FOR ORDER") {
			t.Error(line)
		}
	}
}

// isSQLite tells which engine this is.
func (f *fixture) isSQLite() bool {
	e := f.open()
	defer func() { _ = e.Close() }()
	return e.SkipLocked() == ""
}
