package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"idp/store"
	"idp/store/postgres"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

type copyCmd struct {
	jsonFlag
	From string `help:"Database to copy: sqlite:PATH or postgres://…" required:"" placeholder:"URL"`
	To   string `help:"Database to copy into, which is empty." required:"" placeholder:"URL"`
}

// Help is the way to go.
func (*copyCmd) Help() string {
	return `Everything goes over: accounts, apps, sessions, tokens, mails that wait, the audit log. Stop all servers first. The secret is not in the
database: give servers on the copy the same one (with SQLite: what the file secret in the data folder holds). If the copy is
interrupted, run it again: it begins anew, and no server serves a copy that is not whole.

  idp copy --from sqlite:data/idp.db --to postgres://idp@db/idp
  IDP_DATABASE_URL=postgres://idp@db/idp IDP_SECRET_FILE=data/secret idp serve`
}

// copyTimeout bounds one statement: a whole table is read in one.
const copyTimeout = 24 * time.Hour

// Run copies.
func (c *copyCmd) Run(a *app) error {
	from, err := a.placeOf(c.From)
	if err != nil {
		return err
	}
	to, err := a.placeOf(c.To)
	if err != nil {
		return err
	}
	if from == to {
		return usage(errors.New("--from and --to are the same database"), "")
	}
	if from.sqlite != "" {
		if _, err := os.Stat(from.sqlite); err != nil {
			return failed(fmt.Errorf("there is no database at %s", from.sqlite), "")
		}
	}
	for _, p := range []place{from, to} {
		if p.sqlite == "" {
			continue
		}
		if err := p.makeFolders(); err != nil {
			return err
		}
		release, err := sqlite.Lock(p.sqlite)
		if err != nil {
			return failed(err, "Stop the server while its database is copied.")
		}
		defer release()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return c.copy(ctx, a, from, to)
}

func (c *copyCmd) copy(ctx context.Context, a *app, from, to place) error {
	source, err := migrated(ctx, from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := migrated(ctx, to)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }()
	ring, err := a.ring(from)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { source.Hurry(); target.Hurry() })()
	under, err := sqlstore.New(source).UnderSecret(ctx, ring.MAC("instance check").Sum())
	if err != nil {
		return err
	}
	if !under {
		return usage(errors.New("the instance secret is not the one the database to copy was made with"), "Give its secret as IDP_SECRET or IDP_SECRET_FILE: who serves the copy needs it, too.")
	}
	told := time.Now()
	done, err := sqlstore.Copy(ctx, source, target, func(table string, n int64) {
		if time.Since(told) > progressInLog {
			told = time.Now()
			a.note("%s: %d rows …", table, n)
		}
	})
	switch {
	case store.CodeOf(err) == store.Conflict:
		return failed(err, "Copy into an empty database, with no server running on either.")
	case store.CodeOf(err) == store.InUse:
		return failed(err, "Let that one end, or try again in a minute.")
	case err != nil:
		return failed(err, "Run it again: it begins anew.")
	}
	if c.JSON {
		return a.printJSON(done)
	}
	rows := int64(0)
	for _, t := range done {
		rows += t.Rows
	}
	a.note("Copied: %d rows in %d tables. Servers on the copy need the same IDP_SECRET. See that all is well: idp doctor, idp audit verify", rows, len(done))
	return nil
}

// placeOf is where a database's URL leads.
func (a *app) placeOf(url string) (place, error) {
	b := *a
	b.DatabaseURL, b.DataDir = url, ""
	return b.place(serveFolder)
}

// migrated opens a database for a long command, with its schema up to date.
func migrated(ctx context.Context, p place) (engine, error) {
	var e engine
	var err error
	if p.sqlite != "" {
		e, err = p.open(ctx)
	} else if e, err = postgres.Open(ctx, p.postgres, postgres.Options{NoStatementCache: p.pooler, StatementTimeout: copyTimeout}); err != nil {
		err = databaseFailure("open the database", err)
	}
	if err != nil {
		return nil, err
	}
	if err := e.Migrate(ctx); err != nil {
		return nil, errors.Join(databaseFailure("bring the database up to date", err), e.Close())
	}
	return e, nil
}
