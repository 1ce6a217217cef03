package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"idp/migrations"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply what is pending. The server does it by itself at its start."`
	Status migrateStatusCmd `cmd:"" help:"List what is applied and what is pending; changes nothing."`
}

type migrateUpCmd struct{}

// Run applies pending migrations.
func (*migrateUpCmd) Run(a *app) error {
	return a.withSchema(a.makeReady, func(ctx context.Context, e engine) error {
		before, err := e.MigrationStatus(ctx)
		if err != nil {
			return err
		}
		if err := e.Migrate(ctx); err != nil {
			return err
		}
		a.note("%d applied, the database is up to date.", pending(before))
		return nil
	})
}

type migrateStatusCmd struct{ jsonFlag }

// Run lists the migrations.
func (c *migrateStatusCmd) Run(a *app) error {
	return a.withSchema(place.mustExist, func(ctx context.Context, e engine) error {
		all, err := e.MigrationStatus(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.printJSON(all)
		}
		rows := [][]string{{"VERSION", "NAME", "STATE"}}
		for _, s := range all {
			rows = append(rows, []string{strconv.FormatInt(s.Version, 10), s.Name, map[bool]string{true: "applied", false: "pending"}[s.Applied]})
		}
		return a.table(rows...)
	})
}

func pending(all []migrations.Status) (n int) {
	for _, s := range all {
		if !s.Applied {
			n++
		}
	}
	return n
}

// makeReady makes the secret of a SQLite database before the database: one
// without a secret would be refused later.
func (a *app) makeReady(p place) error {
	if p.sqlite == "" {
		return nil
	}
	if err := p.makeFolders(); err != nil {
		return err
	}
	_, err := a.ring(p)
	return err
}

// mustExist keeps a command that only looks from making a database.
func (p place) mustExist() error {
	if p.sqlite == "" {
		return nil
	}
	if _, err := os.Stat(p.sqlite); errors.Is(err, fs.ErrNotExist) {
		return failed(fmt.Errorf("no database at %s: idp migrate up makes it", p.sqlite), "")
	}
	return nil
}

// withSchema runs a command on a database whose schema may be old. before is
// what the command asks of the place.
func (a *app) withSchema(before func(place) error, run func(context.Context, engine) error) (err error) {
	if err := a.guessFolder(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	p, err := a.place(serveFolder)
	if err != nil {
		return err
	}
	if err := before(p); err != nil {
		return err
	}
	e, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := run(ctx, e); err != nil {
		return databaseFailure("migrate", err)
	}
	return nil
}
