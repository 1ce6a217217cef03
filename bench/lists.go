package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"idp/store/pgtest"
	"idp/store/postgres"
	"idp/store/sqlstore"
)

// list is a page of the management API, asked of the store as the API does.
type list struct {
	name string
	read func(ctx context.Context, db *sqlstore.DB) (rows int, err error)
}

// fillTimeout bounds a statement that makes rows or an index.
const fillTimeout = time.Hour

// listRuns is how often a page is read; the first run finds its rows on the disk or not.
const listRuns = 25

// measureLists fills a Postgres of its own and reads pages.
func measureLists(ctx context.Context, people, events int, out io.Writer) (err error) {
	cluster, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if err := fillPostgres(ctx, cluster.URL(), people, events); err != nil {
		return err
	}
	engine, err := postgres.Open(ctx, cluster.URL(), postgres.Options{})
	if err != nil {
		return err
	}
	db := sqlstore.New(engine)
	if err := db.Start(ctx); err != nil {
		return errors.Join(err, engine.Close())
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "page\trows\tfirst\tbest\tmedian\tslowest\n")
	for _, l := range append(userLists(people), logLists()...) {
		if err := l.measure(ctx, db, w); err != nil {
			return err
		}
	}
	return w.Flush()
}

// fillPostgres makes the schema, people and events.
func fillPostgres(ctx context.Context, url string, people, events int) (err error) {
	fill, err := postgres.Open(ctx, url, postgres.Options{StatementTimeout: fillTimeout})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fill.Close()) }()
	if err := fill.Migrate(ctx); err != nil {
		return err
	}
	if err := fillUsers(ctx, fill, people); err != nil {
		return err
	}
	progress("writing %d events", events)
	if err := fillEvents(ctx, fill, events); err != nil {
		return err
	}
	return vacuumUsers(ctx, fill)
}

func (l list) measure(ctx context.Context, db *sqlstore.DB, w io.Writer) error {
	var took []time.Duration
	rows := 0
	for range listRuns {
		began := time.Now()
		n, err := l.read(ctx, db)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		rows, took = n, append(took, time.Since(began))
	}
	first := took[0]
	slices.Sort(took)
	_, err := fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", l.name, rows, ms(first), ms(took[0]), ms(took[len(took)/2]), ms(took[len(took)-1]))
	return err
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

// listsOnPostgres measures them and prints the figures.
func listsOnPostgres(ctx context.Context, o options) error {
	m := describeMachine()
	fmt.Printf("%s, %d cores, %s, %s\n", m.CPU, m.Cores, m.System, m.Go)
	return measureLists(ctx, o.People, o.Events, os.Stdout)
}
