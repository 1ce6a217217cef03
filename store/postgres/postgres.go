// Package postgres is the engine for many replicas over one Postgres, on pgx.
//
// A script is sent as one pipelined batch outside of an explicit transaction:
// the server runs it as one implicit transaction, so a script costs one round
// trip and one commit. Nothing needs a session to itself (no advisory locks, no
// LISTEN), so poolers and Postgres-compatible databases work.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"idp/store"
	"idp/store/sqlstore"
)

// Options are settings of the engine.
type Options struct {
	// NoStatementCache is for poolers that give each transaction another server
	// connection (PgBouncer in transaction mode): nothing is prepared by name, and
	// no setting is sent at the start, which poolers refuse.
	NoStatementCache bool
	// StatementTimeout bounds each statement on the server; 0 is 10 s.
	StatementTimeout time.Duration
}

// Engine runs scripts on a Postgres database. It implements [sqlstore.Engine].
type Engine struct {
	pool   *pgxpool.Pool
	pooled bool          // Options.NoStatementCache
	answer time.Duration // how long a connection may keep silent

	using   atomic.Int64  // connections
	hurried chan struct{} // closed by hurry
	hurry   func()
}

var _ sqlstore.Engine = (*Engine)(nil)

// connsPerCore is the pool's size where the URL has no pool_max_conns: more only
// makes the database's processes wait for each other.
const connsPerCore = 4

// Open makes a pool for a postgres:// URL. It connects lazily; a database that is away shows
// at the first use.
func Open(ctx context.Context, databaseURL string, o Options) (*Engine, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, &store.Error{Code: store.Invalid, Op: "read the database URL", Err: redact(err)}
	}
	if !setsPoolSize(databaseURL) {
		config.MaxConns = int32(max(4, connsPerCore*runtime.GOMAXPROCS(0)))
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	// Connections are renewed hourly; not all of them in the same second.
	config.MaxConnLifetimeJitter = max(config.MaxConnLifetimeJitter, config.MaxConnLifetime/10)
	// The simple protocol would put arguments into the SQL text: never, whatever the URL says.
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	if o.NoStatementCache {
		// Descriptions are kept here, statements are nameless there: still one round trip.
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	} else {
		settings(c.RuntimeParams, o)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", redact(err))
	}
	hurried := make(chan struct{})
	return &Engine{pool: pool, pooled: o.NoStatementCache, answer: o.statementTimeout() + silence,
		hurried: hurried, hurry: sync.OnceFunc(func() { close(hurried) })}, nil
}

// silence is how much longer than the server's own statement timeout an answer is
// waited for. A server that is gone without a word (a power cut, a network that
// swallows packets) says nothing, and TCP waits for minutes.
const silence = 3 * time.Second

func (o Options) statementTimeout() time.Duration {
	if o.StatementTimeout == 0 {
		return 10 * time.Second
	}
	return o.StatementTimeout
}

func setsPoolSize(databaseURL string) bool {
	u, err := url.Parse(databaseURL)
	if err != nil { // the keyword=value form
		return strings.Contains(databaseURL, " pool_max_conns")
	}
	return u.Query().Has("pool_max_conns")
}

// settings are what a connection asks of the server, unless the URL says otherwise.
func settings(params map[string]string, o Options) {
	for name, value := range map[string]string{
		"application_name":                    "idp",
		"jit":                                 "off",                // costs more than any of our statements
		"plan_cache_mode":                     "force_generic_plan", // our statements have one good plan
		"random_page_cost":                    "1.1",                // of memory and flash; with 4 a table that was never analyzed is scanned (one that is new, or just filled)
		"statement_timeout":                   strconv.FormatInt(o.statementTimeout().Milliseconds(), 10),
		"idle_in_transaction_session_timeout": "30s",
	} {
		if _, set := params[name]; !set {
			params[name] = value
		}
	}
}

// redact keeps the URL, which may hold a password, out of an error.
func redact(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("the database URL is not understood; it looks like postgres://user:password@host:5432/database")
	}
	return err
}

// SkipLocked lets workers pass rows that another one holds.
func (e *Engine) SkipLocked() string { return " FOR UPDATE SKIP LOCKED" }

// Columns lists tables and columns of the schema.
func (e *Engine) Columns() string {
	return `SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
		WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`
}

// KeepOut waits for those who write to the table.
func (e *Engine) KeepOut(table string) string { return "LOCK TABLE " + table + " IN SHARE MODE" }

// Clock is the server's clock.
func (e *Engine) Clock() string {
	return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
}

// Hurry implements [sqlstore.Engine].
func (e *Engine) Hurry() { e.hurry() }

// parting is how long Close waits for connections to end that nobody uses. pgx does not
// leave without the server's word, and waits 15 s for one that says nothing.
const parting = time.Second

// Close waits for connections in use, but for nobody who has left, and closes the pool.
func (e *Engine) Close() error {
	e.hurry()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		e.pool.Close()
	}()
	unused := time.Now()
	for tick := time.Tick(10 * time.Millisecond); ; {
		select {
		case <-closed:
			return nil
		case now := <-tick:
			if e.using.Load() > 0 {
				unused = now
			} else if now.Sub(unused) > parting {
				return nil
			}
		}
	}
}

// Stats is how the connections are used.
type Stats struct {
	Most, Open, Used int           // connections
	Waits            uint64        // calls that found none free
	Waited           time.Duration // all of them together
}

// Stats tells how busy the pool is.
func (e *Engine) Stats() Stats {
	s := e.pool.Stat()
	return Stats{
		Most: int(s.MaxConns()), Open: int(s.TotalConns()), Used: int(s.AcquiredConns()),
		Waits: uint64(s.EmptyAcquireCount()), Waited: s.EmptyAcquireWaitTime(),
	}
}
