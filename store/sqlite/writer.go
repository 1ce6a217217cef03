package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"idp/store/sqlstore"
)

// groupSize is how many scripts share one commit at most: enough to make the
// sync of the disk cheap, few enough that one waits for at most 64 others.
const groupSize = 64

// job is a script that waits for its commit.
type job struct {
	ctx    context.Context
	script *sqlstore.Script
	err    error
	done   chan struct{}
}

var errClosed = errors.New("the database is closed")

// Run hands the script to the writer and waits for the commit it shares. A caller
// that gives up before the writer has picked its script up leaves no trace; one
// that gives up later may find it committed.
func (e *Engine) Run(ctx context.Context, s *sqlstore.Script) error {
	j := &job{ctx: ctx, script: s, done: make(chan struct{})}
	select {
	case <-e.closed:
		return unavailable("write", errClosed)
	default:
	}
	select {
	case e.jobs <- j:
	case <-e.closed:
		return unavailable("write", errClosed)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.done:
		return j.err
	case <-e.done: // closed after the job was queued; the writer drains before it ends
		select {
		case <-j.done:
			return j.err
		default:
			return unavailable("write", errClosed)
		}
	}
}

// writer owns the one connection that writes.
type writer struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (w *writer) run(jobs chan *job, closed, done chan struct{}) {
	defer close(done)
	defer func() { _ = w.conn.Close() }()
	for {
		select {
		case j := <-jobs:
			w.group(collect(j, jobs))
		case <-closed:
			for {
				select {
				case j := <-jobs:
					w.group(collect(j, jobs))
				default:
					return
				}
			}
		}
	}
}

// collect takes what is waiting, without waiting for more.
func collect(first *job, jobs chan *job) []*job {
	group := []*job{first}
	for len(group) < groupSize {
		select {
		case j := <-jobs:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// group commits the jobs together. If the group fails as a whole, each gets the
// error.
func (w *writer) group(jobs []*job) {
	live := jobs[:0]
	for _, j := range jobs {
		if err := j.ctx.Err(); err != nil {
			j.finish(err)
			continue
		}
		live = append(live, j)
	}
	if len(live) == 0 {
		return
	}
	err := w.commit(live)
	for wait := 5 * time.Millisecond; isBusy(err) && wait < time.Second; wait *= 2 {
		time.Sleep(wait)
		err = w.commit(live)
	}
	for _, j := range live {
		if err != nil {
			j.err = translate("write", err)
		}
		j.finish(j.err)
	}
}

func (j *job) finish(err error) {
	j.err = err
	close(j.done)
}

// commit runs the jobs in one transaction. Its error is that of the transaction;
// a script's own error is kept in its job.
func (w *writer) commit(jobs []*job) error {
	ctx := context.Background() // a caller that goes away must not break the others' commit
	if err := w.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if len(jobs) == 1 {
		if err := w.script(ctx, jobs[0].script); err != nil {
			rollback := w.exec(ctx, "ROLLBACK")
			if isBusy(err) {
				return err
			}
			jobs[0].err = translate("write", err)
			return rollback
		}
		return w.end(ctx)
	}
	for _, j := range jobs {
		j.err = nil
		if err := w.exec(ctx, "SAVEPOINT script"); err != nil {
			return errors.Join(err, w.exec(ctx, "ROLLBACK"))
		}
		if err := w.script(ctx, j.script); err != nil {
			j.err = translate("write", err)
			if err := w.exec(ctx, "ROLLBACK TO script"); err != nil {
				return errors.Join(err, w.exec(ctx, "ROLLBACK")) // the disk is full: SQLite has rolled all back
			}
		}
		if err := w.exec(ctx, "RELEASE script"); err != nil {
			return errors.Join(err, w.exec(ctx, "ROLLBACK"))
		}
	}
	return w.end(ctx)
}

func (w *writer) end(ctx context.Context) error {
	err := w.exec(ctx, "COMMIT")
	if err != nil {
		_ = w.exec(ctx, "ROLLBACK") // fails if the failed COMMIT has rolled back by itself
	}
	return err
}

func (w *writer) script(ctx context.Context, s *sqlstore.Script) error {
	for i, step := range s.Steps {
		if err := w.step(ctx, step); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return nil
}

func (w *writer) step(ctx context.Context, step *sqlstore.Step) error {
	stmt, err := w.prepare(ctx, step.SQL)
	if err != nil {
		return err
	}
	step.Rows = 0
	if step.Dest == nil {
		res, err := stmt.ExecContext(ctx, step.Args...)
		if err != nil {
			return err
		}
		step.Rows, err = res.RowsAffected()
		return err
	}
	rows, err := stmt.QueryContext(ctx, step.Args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if step.Rows == 0 {
			if err := rows.Scan(step.Dest...); err != nil {
				return err
			}
		}
		step.Rows++
	}
	return rows.Err()
}

func (w *writer) exec(ctx context.Context, sql string) error {
	stmt, err := w.prepare(ctx, sql)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx)
	return err
}

// prepare keeps every statement: their texts are literals, so they are few.
func (w *writer) prepare(ctx context.Context, sql string) (*sql.Stmt, error) {
	if stmt := w.stmts[sql]; stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(ctx, sql)
	if err == nil {
		w.stmts[sql] = stmt
	}
	return stmt, err
}
