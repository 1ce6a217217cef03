package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"idp/store/sqlstore"
)

// acquireTimeout is how long a request waits for a connection from the pool
// before the database counts as away.
const acquireTimeout = 5 * time.Second

// maxTries bounds how often a script is sent. The pauses between grow from 5 ms
// to 80 ms, so a script that cannot get through fails within 0.2 s.
const maxTries = 5

// Run implements [sqlstore.Engine]. A caller that leaves while there is no connection
// leaves no trace; after that it waits for the outcome, see [Engine.outlast]. Steps are
// filled only once the script has been committed.
func (e *Engine) Run(ctx context.Context, s *sqlstore.Script) error {
	const op = "write"
	conn, err := e.acquire(ctx)
	if err != nil {
		return fault(ctx, op, err)
	}
	ctx, end := e.outlast(ctx)
	defer end()
	for try := 1; ; try++ {
		err := e.once(ctx, conn, s)
		if err == nil {
			return nil
		}
		// A serialization failure and a deadlock are answers: nothing was written.
		// A connection that broke may have taken the COMMIT with it.
		again := rolledBack(err) || unsent(err) || (s.Idempotent && lost(err))
		if !again || try == maxTries || ctx.Err() != nil {
			return fault(ctx, op, err)
		}
		if err = pause(ctx, try); err == nil {
			conn, err = e.acquire(ctx)
		}
		if err != nil {
			return fault(ctx, op, err)
		}
	}
}

// once sends the script, reads all its answers, and gives the connection back.
func (e *Engine) once(ctx context.Context, conn *pgxpool.Conn, s *sqlstore.Script) (err error) {
	ctx, heard := e.listen(ctx)
	defer func() { err = heard(err); e.part(conn) }()
	answers := make([]answer, len(s.Steps))
	if s.Checked() {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return stepwise(ctx, tx, s, answers) })
	} else {
		err = batch(ctx, conn, s.Steps, answers)
	}
	if err != nil {
		return err
	}
	for i, step := range s.Steps {
		if err := answers[i].fill(conn.Conn(), step); err != nil {
			return err
		}
	}
	return nil
}

// sender is a connection, or a transaction on it.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// batch sends the steps in one round trip; outside of a transaction they are one.
func batch(ctx context.Context, to sender, steps []*sqlstore.Step, answers []answer) error {
	var b pgx.Batch
	for _, step := range steps {
		b.Queue(step.SQL, step.Args...)
	}
	results := to.SendBatch(ctx, &b)
	for i, step := range steps {
		if err := answers[i].read(results, step.Dest != nil); err != nil {
			_ = results.Close() // repeats err
			return err
		}
	}
	return results.Close() // the answer to the COMMIT
}

// stepwise sends one step after the other, and ends the transaction at the first that
// touches no row although it has to.
func stepwise(ctx context.Context, tx pgx.Tx, s *sqlstore.Script, answers []answer) error {
	for i, step := range s.Steps {
		if err := batch(ctx, tx, s.Steps[i:i+1], answers[i:i+1]); err != nil {
			return err
		}
		if step.Must != nil && answers[i].count == 0 {
			return step.Must
		}
	}
	return nil
}

func (e *Engine) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	conn, err := e.pool.Acquire(wait)
	if err != nil {
		return nil, &awayError{err}
	}
	e.using.Add(1)
	return conn, nil
}

// outlast is the context of what has a connection: it ends when ctx has no more time, but
// not because the caller has left. What is at the server is done there in any case, and
// somebody has to hear of it: a guess that was charged is counted, a mail that was
// promised is sent. And pgx stops waiting by closing the connection and dialing another,
// to cancel the statement there: who only breaks requests off would keep the pool empty.
// Once the process stops, who has left is waited for no longer.
func (e *Engine) outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	var lasting context.Context
	var cancel context.CancelFunc
	if until, ok := ctx.Deadline(); ok {
		lasting, cancel = context.WithDeadline(context.WithoutCancel(ctx), until)
	} else {
		lasting, cancel = context.WithCancel(context.WithoutCancel(ctx))
	}
	stays := context.AfterFunc(ctx, func() {
		select {
		case <-e.hurried:
			cancel()
		case <-lasting.Done():
		}
	})
	return lasting, func() {
		if errors.Is(lasting.Err(), context.DeadlineExceeded) {
			<-ctx.Done() // its own timer may be a moment behind, and the caller asks it
		}
		stays()
		cancel()
	}
}

// listen bounds how long an answer is waited for. heard marks an error that came
// of the server's silence, or of a caller who had no more time; the connection is
// gone then.
func (e *Engine) listen(ctx context.Context) (bounded context.Context, heard func(error) error) {
	bounded, cancel := context.WithTimeout(ctx, e.answer)
	return bounded, func(err error) error {
		late := err != nil && bounded.Err() != nil
		cancel()
		if late {
			return &awayError{err}
		}
		return err
	}
}

// part gives a connection back, unless it is closed: then it leaves the pool at once.
// pgx closes one whose server fell silent politely, for up to 15 s, and the pool would
// count it as in use meanwhile.
func (e *Engine) part(conn *pgxpool.Conn) {
	e.using.Add(-1)
	if conn.Conn().IsClosed() {
		conn.Hijack()
		return
	}
	conn.Release()
}

// answer is what a statement returned, kept as it came until the commit: a
// script that is sent again must not leave values of its first run behind.
type answer struct {
	count  int64
	fields []pgconn.FieldDescription
	row    [][]byte
}

func (a *answer) read(results pgx.BatchResults, wantRow bool) error {
	if !wantRow {
		tag, err := results.Exec()
		a.count = tag.RowsAffected()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if a.count++; a.count > 1 {
			continue
		}
		a.fields = append(a.fields, rows.FieldDescriptions()...)
		a.keep(rows.RawValues())
	}
	rows.Close()
	return rows.Err()
}

// keep copies a row out of the connection's read buffer, in one piece.
func (a *answer) keep(row [][]byte) {
	size := 0
	for _, v := range row {
		size += len(v)
	}
	buf := make([]byte, 0, size)
	a.row = make([][]byte, len(row))
	for i, v := range row {
		if v == nil {
			continue // NULL
		}
		start := len(buf)
		buf = append(buf, v...)
		a.row[i] = buf[start:len(buf):len(buf)]
	}
}

// fill hands the answer to the step.
func (a *answer) fill(conn *pgx.Conn, step *sqlstore.Step) error {
	step.Rows = a.count
	if a.row == nil {
		return nil
	}
	return pgx.ScanRow(conn.TypeMap(), a.fields, a.row, step.Dest...)
}

// pause waits before the next try; the jitter parts those who met each other.
func pause(ctx context.Context, try int) error {
	longest := 5 * time.Millisecond << try
	t := time.NewTimer(rand.N(longest))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
