package sqlite

import (
	"context"
	"errors"
	"fmt"

	"idp/store/sqlstore"
)

// groupSize is how many scripts share one commit at most: enough to make the
// sync of the disk cheap, few enough that one waits for at most 64 others.
const groupSize = 64

// maxTries bounds how often a group, or a read, meets a busy file; the writer has
// waited for busyTimeout each time.
const maxTries = 2

// job is a script that waits for its commit.
type job struct {
	script  *sqlstore.Script
	answers []answer
	err     error
	done    chan struct{}
}

// Run hands the script to the writer and waits for the commit it shares. A caller
// that gives up before the writer has picked its script up leaves no trace; after
// that it waits for the outcome. Steps are filled only once the script is committed.
func (e *Engine) Run(ctx context.Context, s *sqlstore.Script) error {
	const op = "write"
	if !e.enter() {
		return unavailable(op, errClosed)
	}
	defer e.running.Done()
	if err := ctx.Err(); err != nil {
		return translate(op, err)
	}
	e.waiting.Add(1)
	defer e.waiting.Add(-1)
	j := &job{script: s, done: make(chan struct{})}
	select {
	case e.jobs <- j:
	case <-ctx.Done():
		return translate(op, ctx.Err())
	}
	<-j.done
	if j.err != nil {
		return translate(op, j.err)
	}
	for i, step := range s.Steps {
		step.Rows = j.answers[i].count
		if step.Dest == nil || step.Rows == 0 {
			continue
		}
		if err := scan(j.answers[i].row, step.Dest); err != nil {
			return fmt.Errorf("%s: statement %d: %w", op, i+1, err)
		}
	}
	return nil
}

// write is the writer's goroutine. It ends when the jobs do.
func (e *Engine) write(w *writer) {
	defer close(e.written)
	defer func() { _ = w.conn.close() }()
	for {
		select {
		case j, open := <-e.jobs:
			if !open {
				return
			}
			group := collect(j, e.jobs)
			e.commits.Add(1)
			e.scripts.Add(uint64(len(group)))
			w.group(group)
			e.checkpoints.wrote(w.conn)
		case <-e.checkpoints.rest:
			e.checkpoints.finish(w.conn)
		}
	}
}

// collect takes what is waiting, without waiting for more.
func collect(first *job, jobs <-chan *job) []*job {
	group := []*job{first}
	for len(group) < groupSize {
		select {
		case j, open := <-jobs:
			if !open {
				return group
			}
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// writer owns the one connection that writes.
type writer struct{ conn *conn }

// group commits the jobs together and answers each. If the commit fails, each
// that has not failed by itself gets that error.
func (w *writer) group(jobs []*job) {
	err := w.commit(jobs)
	for try := 1; isBusy(err) && try < maxTries; try++ {
		err = w.commit(jobs)
	}
	for _, j := range jobs {
		if err != nil && j.err == nil {
			j.err = unavailable("write", err)
		}
		close(j.done)
	}
}

// commit runs the jobs in one transaction. Its error is that of the transaction;
// a script's own error is kept in its job.
func (w *writer) commit(jobs []*job) error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.all(jobs); err != nil {
		_ = w.conn.exec("ROLLBACK") // fails if SQLite has rolled back by itself
		return err
	}
	return nil
}

func (w *writer) begin() error {
	err := w.conn.exec("BEGIN IMMEDIATE")
	if err != nil && !isBusy(err) {
		// A ROLLBACK that failed has left a transaction open: end it, or the writer
		// would never get out of it.
		_ = w.conn.exec("ROLLBACK")
		err = w.conn.exec("BEGIN IMMEDIATE")
	}
	return err
}

func (w *writer) all(jobs []*job) error {
	if len(jobs) == 1 {
		if jobs[0].err = w.script(jobs[0]); jobs[0].err != nil {
			return jobs[0].err
		}
		return w.conn.exec("COMMIT")
	}
	for _, j := range jobs {
		if err := w.conn.exec("SAVEPOINT script"); err != nil {
			return err
		}
		if j.err = w.script(j); j.err != nil {
			// After some errors, a full disk among them, SQLite has rolled all back and
			// there is no savepoint any more: nobody is committed then.
			if err := w.conn.exec("ROLLBACK TO script"); err != nil {
				return errors.Join(j.err, err)
			}
		}
		if err := w.conn.exec("RELEASE script"); err != nil {
			return err
		}
	}
	return w.conn.exec("COMMIT")
}

func (w *writer) script(j *job) error {
	j.answers = make([]answer, len(j.script.Steps))
	for i, step := range j.script.Steps {
		a, err := w.conn.run(step.SQL, step.Args, step.Dest != nil)
		if err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
		if step.Must != nil && a.count == 0 {
			return step.Must
		}
		j.answers[i] = a
	}
	return nil
}
