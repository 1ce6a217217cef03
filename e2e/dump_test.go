package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"idp/e2e/rig"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// dump is everything that a thief of the database gets.
type dump struct {
	raw   []byte // SQLite's files, removed rows included; what pg_dump writes
	cells []cell // each value of each table
}

// cell is one value, as the program wrote it: BYTEA and BLOB are bytes.
type cell struct {
	place string // "table.column"
	value []byte
}

func dumpOf(s *rig.Server) dump {
	s.T.Helper()
	if s.Engine == "sqlite" {
		return dumpSQLite(s)
	}
	return dumpPostgres(s)
}

func dumpPostgres(s *rig.Server) (d dump) {
	s.T.Helper()
	u := rig.Must(rig.ParseURL(s.Database))
	schema := u.Query().Get("search_path") // quoted
	u.RawQuery = "sslmode=disable"
	pgDump, err := exec.LookPath("pg_dump")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
		if len(found) == 0 {
			s.T.Fatal("no pg_dump: apt-get install postgresql")
		}
		pgDump = found[len(found)-1]
	}
	if d.raw, err = exec.Command(pgDump, "--schema="+schema, u.String()).Output(); err != nil {
		s.T.Fatal(err)
	}
	table, columns := "", []string(nil)
	for line := range strings.Lines(string(d.raw)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "COPY "): // COPY "schema".table (a, b) FROM stdin;
			name, list, _ := strings.Cut(strings.TrimPrefix(line, "COPY "), " (")
			list, _, _ = strings.Cut(list, ")")
			table, columns = name[strings.LastIndex(name, ".")+1:], strings.Split(list, ", ")
		case line == `\.`:
			columns = nil
		case columns != nil:
			for i, value := range strings.Split(line, "\t") {
				if value != `\N` {
					d.cells = append(d.cells, cell{table + "." + columns[i], uncopy(value)})
				}
			}
		}
	}
	return d
}

// uncopy reads a value of COPY's text format; BYTEA is \\x and hex in it.
func uncopy(value string) []byte {
	value = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r", `\b`, "\b", `\f`, "\f", `\v`, "\v").Replace(value)
	if digits, ok := strings.CutPrefix(value, `\x`); ok {
		if b, err := hex.DecodeString(digits); err == nil {
			return b
		}
	}
	return []byte(value)
}

func dumpSQLite(s *rig.Server) (d dump) {
	s.T.Helper()
	files, _ := filepath.Glob(s.Database + "*")
	for _, f := range files {
		d.raw = append(d.raw, rig.Must(os.ReadFile(f))...)
	}
	db := rig.Must(sql.Open("sqlite", "file:"+s.Database+"?mode=ro&_pragma=busy_timeout(5000)"))
	defer func() { _ = db.Close() }()
	for _, table := range texts(db, `SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		rows := rig.Must(db.Query(`SELECT * FROM "` + table + `"`))
		columns := rig.Must(rows.Columns())
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				s.T.Fatal(err)
			}
			for i, v := range row {
				if v != nil {
					d.cells = append(d.cells, cell{table + "." + columns[i], plain(v)})
				}
			}
		}
		if err := rows.Err(); err != nil {
			s.T.Fatal(err)
		}
		_ = rows.Close()
	}
	return d
}

func texts(db *sql.DB, query string) (all []string) {
	rows, err := db.Query(query)
	if err != nil {
		panic(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			panic(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		panic(err)
	}
	return all
}

func plain(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return bytes.Clone(v)
	case int64:
		return strconv.AppendInt(nil, v, 10)
	}
	return fmt.Append(nil, v)
}

// find gives the places that hold a text.
func (d dump) find(text []byte) (places []string) {
	for _, c := range d.cells {
		if bytes.Contains(c.value, text) {
			places = append(places, c.place)
		}
	}
	if len(places) == 0 && bytes.Contains(d.raw, text) {
		places = append(places, "no live row")
	}
	return places
}

// findCode gives the places that hold a code: its digits with no digit beside
// them. Numbers of the schema have other lengths; goose's table holds the times of
// the migrations, whose microseconds could look like a code.
func (d dump) findCode(code string) (places []string) {
	for _, c := range d.cells {
		if !strings.HasPrefix(c.place, "goose_") && standsAlone(c.value, code) {
			places = append(places, c.place)
		}
	}
	// SQLite writes numbers as binary: digits in its files are text.
	if len(places) == 0 && bytes.HasPrefix(d.raw, []byte("SQLite format 3")) && standsAlone(d.raw, code) {
		places = append(places, "no live row")
	}
	return places
}

// standsAlone tells whether a number is somewhere in a text and no part of a
// longer one.
func standsAlone(text []byte, number string) bool {
	for at := 0; ; at++ {
		i := bytes.Index(text[at:], []byte(number))
		if i < 0 {
			return false
		}
		at += i
		end := at + len(number)
		if (at == 0 || !isDigit(text[at-1])) && (end == len(text) || !isDigit(text[end])) {
			return true
		}
	}
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
