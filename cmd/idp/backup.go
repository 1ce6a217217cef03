package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"idp/store/sqlite"
)

type backupCmd struct {
	jsonFlag
	File string `arg:"" help:"File to write, which is not there yet."`
}

// Help says what belongs to a backup.
func (*backupCmd) Help() string {
	return `The server may run meanwhile: the file is the database as it was at one moment. The instance secret is not in it, and nothing in it
opens without: keep a copy of the secret elsewhere (with SQLite: the file secret in the data folder).

With Postgres, use its own: pg_dump --format=custom --file=idp.dump "$IDP_DATABASE_URL"`
}

// Run writes a backup.
func (c *backupCmd) Run(a *app) error {
	if err := a.guessFolder(); err != nil {
		return err
	}
	p, err := a.place(serveFolder)
	if err != nil {
		return err
	}
	if p.sqlite == "" {
		return usage(fmt.Errorf("a backup of Postgres is made by Postgres"), `pg_dump --format=custom --file=idp.dump "$IDP_DATABASE_URL"`)
	}
	if _, err := os.Stat(p.sqlite); err != nil {
		return failed(fmt.Errorf("there is no database at %s", p.sqlite), "")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	size, err := sqlite.Backup(ctx, p.sqlite, c.File)
	if err != nil {
		return failed(fmt.Errorf("write the backup: %w", err), "Choose a file that is not there, on a disk with room for the whole database.")
	}
	if c.JSON {
		return a.printJSON(struct {
			File  string `json:"file"`
			Bytes int64  `json:"bytes"`
		}{c.File, size})
	}
	secret := filepath.Join(p.folder, "secret")
	if a.Secret != "" { // given, and not what lies in the folder
		secret = cmp.Or(a.SecretFile, "IDP_SECRET")
	}
	a.note("%s has the database: %d bytes. The secret that opens it is not in it: keep %s elsewhere.", c.File, size, secret)
	return nil
}
