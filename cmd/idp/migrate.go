package main

import (
	"context"
	"errors"
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
	return a.withSchema(func(ctx context.Context, e engine) error {
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
	return a.withSchema(func(ctx context.Context, e engine) error {
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

// withSchema runs a command on a database whose schema may be old. With SQLite
// the secret is made first: a database without one would be refused later.
func (a *app) withSchema(run func(context.Context, engine) error) (err error) {
	if err := a.guessFolder(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	p, err := a.place(serveFolder)
	if err != nil {
		return err
	}
	if p.sqlite != "" {
		if _, err := a.ring(p); err != nil {
			return err
		}
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
