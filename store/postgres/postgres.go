// Package postgres is the engine for many replicas over one Postgres, on pgx.
//
// A script is sent as one pipelined batch outside of an explicit transaction:
// the server runs it as one implicit transaction, so a script costs one round
// trip and one commit. Nothing needs a session to itself (no advisory locks, no
// LISTEN), so poolers and Postgres-compatible databases work.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"idp/migrations"
	"idp/store"
	"idp/store/sqlstore"
)

// Options are settings of the engine.
type Options struct {
	// NoStatementCache describes each statement anew instead of keeping it prepared
	// on the connection, for poolers that hand out another connection per transaction.
	NoStatementCache bool
}

// Engine runs scripts on a Postgres database. It implements [sqlstore.Engine].
type Engine struct {
	pool *pgxpool.Pool
}

var _ sqlstore.Engine = (*Engine)(nil)

// connsPerCore is the pool's size where the URL has no pool_max_conns: more only
// makes the database's processes wait for each other.
const connsPerCore = 4

// Open makes a pool for url. It connects lazily; a database that is away shows
// at the first use.
func Open(ctx context.Context, url string, o Options) (*Engine, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, &store.Error{Code: store.Invalid, Op: "read the database URL", Err: redact(err)}
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = int32(max(4, connsPerCore*runtime.GOMAXPROCS(0)))
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	if o.NoStatementCache {
		c.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	}
	for name, value := range map[string]string{
		"application_name":                    "idp",
		"jit":                                 "off",                // costs more than any of our statements
		"plan_cache_mode":                     "force_generic_plan", // our statements have one good plan
		"statement_timeout":                   "10s",
		"idle_in_transaction_session_timeout": "30s",
	} {
		if _, set := c.RuntimeParams[name]; !set {
			c.RuntimeParams[name] = value
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", redact(err))
	}
	return &Engine{pool: pool}, nil
}

// redact keeps the URL, which may hold a password, out of an error.
func redact(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("the database URL is not understood; it looks like postgres://user:password@host:5432/database")
	}
	return err
}

// Migrate applies pending migrations. Replicas that start at once let one through
// at a time.
func (e *Engine) Migrate(ctx context.Context) error {
	err := migrations.Up(ctx, e.admin(), migrations.Postgres)
	for try := 0; try < 5 && isLockTimeout(err); try++ {
		time.Sleep(backoff(try))
		err = migrations.Up(ctx, e.admin(), migrations.Postgres)
	}
	return translate("migrate", err)
}

// MigrationStatus lists the migrations.
func (e *Engine) MigrationStatus(ctx context.Context) ([]migrations.Status, error) {
	list, err := migrations.List(ctx, e.admin(), migrations.Postgres)
	return list, translate("read migrations", err)
}

// admin is a pool for schema changes: they wait at most 2 s for a table's lock,
// so that they never make a queue of everybody behind them.
func (e *Engine) admin() *sql.DB {
	config := e.pool.Config().ConnConfig.Copy()
	config.RuntimeParams["lock_timeout"] = "2s"
	config.RuntimeParams["statement_timeout"] = "0"
	db := stdlib.OpenDB(*config)
	db.SetMaxIdleConns(0)
	return db
}

// SkipLocked lets workers pass rows that another one holds.
func (e *Engine) SkipLocked() string { return " FOR UPDATE SKIP LOCKED" }

// Clock is the server's clock.
func (e *Engine) Clock() string {
	return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
}

// Close waits for connections in use and closes the pool.
func (e *Engine) Close() error {
	e.pool.Close()
	return nil
}

// maxTries bounds how often a script is sent.
const maxTries = 6

// Run sends the script as one batch. It tries again when the server says that the
// transaction did not happen, and, if the script allows it, when the connection
// was lost and nobody knows.
func (e *Engine) Run(ctx context.Context, s *sqlstore.Script) error {
	var err error
	for try := range maxTries {
		if err = e.send(ctx, s); err == nil || !mayRetry(err, s.Idempotent) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff(try)):
		}
	}
	return translate("write", err)
}

func (e *Engine) send(ctx context.Context, s *sqlstore.Script) error {
	var b pgx.Batch
	for i, step := range s.Steps {
		step.Rows = 0
		q := b.Queue(step.SQL, step.Args...)
		if step.Dest == nil {
			q.Exec(func(tag pgconn.CommandTag) error {
				step.Rows = tag.RowsAffected()
				return nil
			})
			continue
		}
		q.Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if step.Rows == 0 {
					if err := rows.Scan(step.Dest...); err != nil {
						return fmt.Errorf("statement %d: %w", i+1, err)
					}
				}
				step.Rows++
			}
			return rows.Err()
		})
	}
	return e.pool.SendBatch(ctx, &b).Close()
}

// Read runs one query.
func (e *Engine) Read(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	var err error
	for try := range 3 {
		seen := false
		err = e.read(ctx, query, args, func(scan func(...any) error) error { seen = true; return row(scan) })
		if err == nil || seen || !mayRetry(err, true) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff(try)):
		}
	}
	return translate("read", err)
}

func (e *Engine) read(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	rows, err := e.pool.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// backoff waits 5, 10, 20 … ms, more or less.
func backoff(try int) time.Duration {
	return time.Duration(float64(5*time.Millisecond<<try) * (0.5 + rand.Float64()))
}

// mayRetry tells whether the script may be sent again: the server has said that
// it did not happen, or it does no harm twice.
func mayRetry(err error, idempotent bool) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" || idempotent && isAway(pg.Code)
	}
	return pgconn.SafeToRetry(err) || idempotent && isLost(err)
}

// isAway: the server is stopping, starting, or has no room.
func isAway(sqlstate string) bool {
	return strings.HasPrefix(sqlstate, "08") || strings.HasPrefix(sqlstate, "57P") || strings.HasPrefix(sqlstate, "53")
}

// isLost: the connection, not the statement, failed.
func isLost(err error) bool {
	var connect *pgconn.ConnectError
	var netErr net.Error
	return errors.As(err, &connect) || errors.As(err, &netErr) || pgconn.Timeout(err) || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "closed pool")
}

func isLockTimeout(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "55P03"
}

// translate gives Postgres's errors the store's codes.
func translate(op string, err error) error {
	if err == nil || store.CodeOf(err) != "" {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "23505":
			return &store.Error{Code: store.Conflict, Op: op, Err: err}
		case isAway(pg.Code), pg.Code == "40001", pg.Code == "40P01", pg.Code == "57014", pg.Code == "25006":
			return &store.Error{Code: store.Unavailable, Op: op, Err: err}
		}
		return fmt.Errorf("%s: %w", op, err)
	}
	if isLost(err) || errors.Is(err, context.DeadlineExceeded) {
		return &store.Error{Code: store.Unavailable, Op: op, Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}
