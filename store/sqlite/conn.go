package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// conn is one connection with its prepared statements. It is for one goroutine at
// a time. (Driving the driver without database/sql was measured: no difference.)
type conn struct {
	db    *sql.DB // has no other connection
	only  *sql.Conn
	stmts map[string]*sql.Stmt // by text, at most maxStmts
}

// answer is what a statement returned.
type answer struct {
	count int64
	row   []any // the first one, as the driver gave it; nil without one
}

func dial(dsn string) (*conn, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	only, err := db.Conn(context.Background())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &conn{db: db, only: only, stmts: map[string]*sql.Stmt{}}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	return errors.Join(c.only.Close(), c.db.Close())
}

// maxStmts bounds the prepared statements of a connection: nearly all texts are literals,
// some 300, but those of searches are made of what is searched.
const maxStmts = 512

func (c *conn) prepare(query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	if len(c.stmts) >= maxStmts {
		for text, s := range c.stmts { // any one: what is needed often is soon there again
			delete(c.stmts, text)
			if err := s.Close(); err != nil {
				return nil, err
			}
			break
		}
	}
	s, err := c.only.PrepareContext(context.Background(), query)
	if err == nil {
		c.stmts[query] = s
	}
	return s, err
}

// exec runs a statement without arguments, for the transaction's own.
func (c *conn) exec(query string) error {
	_, err := c.run(query, nil, false)
	return err
}

// run runs a statement to its end. Contexts are left out on purpose: a script
// that has begun is finished, and watching one costs a goroutine a statement.
func (c *conn) run(query string, args []any, wantRow bool) (answer, error) {
	// SQLite counts changes; the rows of a SELECT have to be counted here.
	if wantRow || strings.HasPrefix(strings.TrimSpace(query), "SELECT") {
		var a answer
		err := c.query(query, args, func(row []any) error {
			if a.count++; a.count == 1 {
				a.row = append(a.row, row...)
			}
			return nil
		})
		return a, err
	}
	s, err := c.prepare(query)
	if err != nil {
		return answer{}, err
	}
	res, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return answer{}, err
	}
	n, err := res.RowsAffected()
	return answer{count: n}, err
}

// query runs a statement and calls each for every row; the slice is used again,
// the values in it are not.
func (c *conn) query(query string, args []any, each func([]any) error) (err error) {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return rows.Err()
}
