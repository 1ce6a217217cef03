package sqlstore

import (
	"context"
	"slices"

	"idp/store"
)

// Engine runs scripts. *postgres.Engine and *sqlite.Engine are the two.
type Engine interface {
	// Run runs the script in one transaction with one commit, and fills each
	// step's Rows and Dest. It retries by itself on a serialization failure, a
	// deadlock or a busy database, and, if the script is Idempotent, on a lost
	// connection. An error that the caller cannot mend is a *store.Error with
	// store.Unavailable. A caller whose context is canceled while it waits for its turn
	// leaves no trace; after that it waits for the outcome, until Hurry.
	Run(ctx context.Context, s *Script) error
	// Read runs one query outside of a transaction and calls row for each row;
	// row gets a scan function for it. After the caller's context is canceled there are
	// no more rows.
	Read(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) error
	// SkipLocked is the engine's clause that lets workers pass rows that another
	// one holds; "" where one writer exists anyway.
	SkipLocked() string
	// KeepOut is a statement after which nobody else writes to a table until the script
	// ends, and what others have begun to write there is seen; "" where one writer exists
	// anyway.
	KeepOut(table string) string
	// Columns is a query for the names of all tables and their columns, table by table.
	Columns() string
	// Clock is an SQL expression for the database's time in microseconds since 1970.
	Clock() string
	// Hurry says that the process stops: who has left, or leaves, is waited for no longer
	// where a database may keep silent for long.
	Hurry()
	// Close waits for running scripts and closes the database.
	Close() error
}

// Script is a transaction written down: guarded statements, run in order. Each
// later statement takes its rows from what an earlier one has just written, so a
// failed guard makes the rest do nothing, and the row counts tell the result.
type Script struct {
	Steps []*Step
	// Idempotent says that running the script twice equals running it once, so
	// that it may be sent again when the answer to a COMMIT was lost.
	Idempotent bool
}

// Step is one statement of a script.
type Step struct {
	SQL  string
	Args []any
	Dest []any // where the first returned row is scanned to; nil: no rows expected
	Must error // what Run returns, with nothing of the script written, if the statement touches no row; nil: that is fine
	Rows int64 // set by Run: rows returned, or rows changed where nothing is returned
}

// Do appends a statement.
func (s *Script) Do(sql string, args ...any) *Step {
	step := &Step{SQL: sql, Args: args}
	s.Steps = append(s.Steps, step)
	return step
}

// Into names the destinations of the first row that the statement returns.
// Without a row they stay as they are.
func (s *Step) Into(dest ...any) *Step {
	s.Dest = dest
	return s
}

// Need says that the script is worth nothing unless this statement touches a row: Run
// then writes nothing and returns a [store.Error] with the code. On Postgres such a script
// goes statement by statement, which is for changes by administrators, not for sign-ins.
func (s *Step) Need(op string, code store.Code) *Step {
	s.Must = &store.Error{Code: code, Op: op}
	return s
}

// Checked tells whether a step needs rows.
func (s *Script) Checked() bool {
	return slices.ContainsFunc(s.Steps, func(step *Step) bool { return step.Must != nil })
}
