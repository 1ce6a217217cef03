package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/url"
	"path/filepath"
	"time"

	"idp/bench/internal/proc"
	"idp/store/pgtest"
	"idp/store/postgres"
)

// database is where the program under test keeps its data.
type database interface {
	// settings are what the program needs to find it.
	settings() []string
	// usage tells what was used so far; the zero usage where the database is part of
	// the program.
	usage(ctx context.Context) (usage, error)
	version(ctx context.Context) (string, error)
	close() error
}

// usage is what a database server has used since its start.
type usage struct {
	cpu time.Duration
	// commits are transactions that ended well, reads included, as pg_stat_database
	// counts them: up to a second late.
	commits int64
	// writes are transactions that wrote: the transaction ids given out.
	writes int64
}

func openDatabase(ctx context.Context, engine, dir string) (database, error) {
	if engine == "sqlite" {
		return embedded{filepath.Join(dir, "data")}, nil
	}
	cluster, err := pgtest.Start(pgtest.Options{Fsync: true})
	if err != nil {
		return nil, err
	}
	// Looking from another database keeps our own transactions out of the count.
	aside, err := url.Parse(cluster.URL())
	if err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	aside.Path = "/template1"
	look, err := postgres.Open(ctx, aside.String(), postgres.Options{})
	if err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	s := &served{cluster: cluster, engine: look, secret: base64.StdEncoding.EncodeToString(secret)}
	if err := s.findPostmaster(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// embedded is SQLite, inside the program.
type embedded struct{ dir string }

func (e embedded) settings() []string                    { return []string{"IDP_DATA_DIR=" + e.dir} }
func (embedded) usage(context.Context) (usage, error)    { return usage{}, nil }
func (embedded) version(context.Context) (string, error) { return "SQLite, embedded", nil }
func (embedded) close() error                            { return nil }

// served is Postgres: a cluster of its own with fsync on. The figures are read
// through the product's own engine, the one place that knows pgx.
type served struct {
	cluster *pgtest.Cluster
	engine  *postgres.Engine
	secret  string
	pid     int // of the postmaster, parent of all its processes
}

func (s *served) findPostmaster(ctx context.Context) error {
	backend := 0
	if err := s.read(ctx, `SELECT pg_backend_pid()`, &backend); err != nil {
		return err
	}
	stat, err := proc.Read(backend)
	s.pid = stat.Parent
	return err
}

func (s *served) settings() []string { return s.settingsAt(s.cluster.URL()) }

// settingsAt are the settings with another URL: a proxy's.
func (s *served) settingsAt(url string) []string {
	return []string{"IDP_DATABASE_URL=" + url, "IDP_SECRET=" + s.secret}
}

func (s *served) usage(ctx context.Context) (u usage, err error) {
	if u.cpu, err = proc.Family(s.pid); err != nil {
		return u, err
	}
	err = s.read(ctx, `
		SELECT (SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname <> current_database()),
		       pg_snapshot_xmax(pg_current_snapshot())::text::bigint`, &u.commits, &u.writes)
	return u, err
}

func (s *served) version(ctx context.Context) (string, error) {
	var text string
	err := s.read(ctx, `SELECT 'PostgreSQL ' || current_setting('server_version')`, &text)
	return text, err
}

func (s *served) read(ctx context.Context, sql string, dest ...any) error {
	return s.engine.Read(ctx, sql, nil, func(scan func(...any) error) error { return scan(dest...) })
}

func (s *served) close() error {
	_ = s.engine.Close()
	return s.cluster.Stop()
}
