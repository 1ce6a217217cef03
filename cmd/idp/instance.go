package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/keyring"
	"idp/mailer"
	"idp/mailer/ses"
	"idp/migrations"
	"idp/op"
	"idp/otp"
	"idp/store"
	"idp/store/postgres"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

// place is where the data is.
type place struct {
	folder   string // data folder
	sqlite   string // path of the database; "" with Postgres
	postgres string // URL
	pooler   bool   // between us and that Postgres
}

// Data folders.
const (
	serveFolder = "data"
	devFolder   = ".idp"
)

// place reads the settings that say where the data is, and makes nothing there.
// folder is where it is when no setting says so.
func (a *app) place(folder string) (place, error) {
	p := place{folder: folder, pooler: a.DatabasePooler}
	if a.DataDir != "" {
		p.folder = a.DataDir
	}
	url := a.DatabaseURL
	switch {
	case url == "":
		p.sqlite = filepath.Join(p.folder, "idp.db")
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		p.postgres = url
	case strings.HasPrefix(url, "sqlite:"):
		p.sqlite = strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "//")
		if p.sqlite == "" || strings.ContainsAny(p.sqlite, "?#") || strings.HasPrefix(p.sqlite, ":") {
			return p, usage(errors.New("IDP_DATABASE_URL names no file"), "Write it like sqlite:/var/lib/idp/idp.db")
		}
		if a.DataDir == "" { // the secret belongs to the database, not to where the command is run
			p.folder = filepath.Dir(p.sqlite)
		}
	default:
		return p, usage(errors.New("IDP_DATABASE_URL is neither postgres://… nor sqlite:PATH"), "")
	}
	return p, nil
}

// makeFolders makes what a SQLite database needs around it.
func (p place) makeFolders() error {
	if p.sqlite == "" {
		return nil
	}
	for _, dir := range []string{p.folder, filepath.Dir(p.sqlite)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return failed(fmt.Errorf("make the data folder: %w", err), "Choose another one with IDP_DATA_DIR.")
		}
	}
	return nil
}

// engine is a database before the store's operations are put on it.
type engine interface {
	sqlstore.Engine
	Migrate(ctx context.Context) error
	MigrationStatus(ctx context.Context) ([]migrations.Status, error)
}

func (p place) open(ctx context.Context) (engine, error) {
	if p.sqlite != "" {
		e, err := sqlite.Open(ctx, p.sqlite, sqlite.Options{})
		if err != nil {
			return nil, failed(fmt.Errorf("open the database %s: %w", p.sqlite, err), "")
		}
		return e, nil
	}
	e, err := postgres.Open(ctx, p.postgres, postgres.Options{NoStatementCache: p.pooler})
	if err != nil {
		return nil, databaseFailure("open the database", err)
	}
	return e, nil
}

// databaseFailure adds what mends it.
func databaseFailure(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	switch store.CodeOf(err) {
	case store.Unavailable:
		return failed(err, "Check IDP_DATABASE_URL, and that the database runs.")
	case store.Invalid:
		return usage(err, "It is read from IDP_DATABASE_URL.")
	case store.Conflict:
		return failed(err, "Run the newer idp that changed the database, or bring back a backup from before.")
	}
	return failed(err, "")
}

// name tells the database in a log, without its password.
func (p place) name() string {
	if p.sqlite != "" {
		return "sqlite"
	}
	return "postgres"
}

// instance is an open database with its secret.
type instance struct {
	place
	db     *sqlstore.DB
	engine engine // under it
	ring   *keyring.Ring
	ses    ses.Options
	admin  *admin.Service // of the commands
}

// open opens the database, brings its schema up to date, and makes sure that the
// secret belongs to it.
func (a *app) open(ctx context.Context, p place) (*instance, error) {
	if err := ses.CheckEndpoint(a.AWSEndpointURL); err != nil {
		return nil, usage(fmt.Errorf("IDP_AWS_ENDPOINT_URL: %w", err), "")
	}
	if err := p.makeFolders(); err != nil {
		return nil, err
	}
	ring, err := a.ring(p)
	if err != nil {
		return nil, err
	}
	e, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, e.Hurry)()
	if err := e.Migrate(ctx); err != nil {
		return nil, errors.Join(databaseFailure("bring the database up to date", err), e.Close())
	}
	in := &instance{place: p, db: sqlstore.New(a.measured(e)), engine: e, ring: ring, ses: ses.Options{Endpoint: a.AWSEndpointURL}}
	check := ring.MAC("instance check")
	err = in.db.Start(ctx)
	if err == nil {
		err = in.db.CheckSecret(ctx, check.Sum(), check.Sums())
	}
	if err == nil {
		err = in.takeKept(ctx)
	}
	switch {
	case store.CodeOf(err) == store.Conflict:
		err = usage(errors.New("the instance secret is not the one this database was made with"),
			"Give the right one as IDP_SECRET or IDP_SECRET_FILE; after a change of secret, the old one as IDP_SECRET_PREVIOUS.")
		fallthrough
	case err != nil:
		return nil, errors.Join(err, in.db.Close())
	}
	in.db.Trace = audit.New(ring, in.db.Now).Trace
	if in.admin, err = in.service(in.senders(), admin.Frame{}); err != nil {
		return nil, errors.Join(err, in.db.Close())
	}
	return in, nil
}

// takeKept has the ring open what is still under keys of secrets that are gone. One that does
// not open is for a process that knows the secret it is under.
func (in *instance) takeKept(ctx context.Context) error {
	keys, err := in.db.KeptKeys(ctx)
	for _, k := range keys {
		_ = in.ring.Take(keyring.Kept{ID: k.ID, Purpose: k.Purpose, Sealed: k.Sealed})
	}
	return err
}

// service is the functions of administrators. A command knows no frame of codes but the
// program's own; the server narrows what it is given in any case. private are networks that
// webhooks may post to.
func (in *instance) service(senders mailer.Kinds, frame admin.Frame, private ...netip.Prefix) (*admin.Service, error) {
	return admin.New(admin.Deps{Store: in.db, Book: audit.New(in.ring, in.db.Now), Ring: in.ring, Senders: senders, Frame: frame,
		Codes: otp.NewAddresses(in.ring), TestCodes: otp.NewTestCodes(in.ring), Mails: mailer.NewRecipients(in.ring), Private: private, Agent: agent(), Pictures: admin.NewFetcher(agent(), private...),
		NewKey: func(alg string) (store.SigningKey, error) { return op.NewSigningKey(in.ring, alg) }})
}

// commandTimeout bounds a command that works on the database.
const commandTimeout = time.Minute

// with runs a command on the database of the server.
func (a *app) with(run func(context.Context, *instance) error) error {
	return a.withoutLimit(func(ctx context.Context, in *instance) error {
		ctx, cancel := context.WithTimeout(ctx, commandTimeout)
		defer cancel()
		return run(ctx, in)
	})
}

// withoutLimit is with for commands that take as long as there is something to do.
func (a *app) withoutLimit(run func(context.Context, *instance) error) (err error) {
	if err := a.guessFolder(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := a.place(serveFolder)
	if err != nil {
		return err
	}
	opening, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	in, err := a.open(opening, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.db.Close()) }()
	defer context.AfterFunc(ctx, in.db.Hurry)()
	return run(store.WithOrigin(ctx, &store.Origin{Actor: audit.Command().ID}), in)
}

// guessFolder keeps a command in the folder of idp dev from making a second,
// empty database beside it.
func (a *app) guessFolder() error {
	if a.DataDir != "" || a.DatabaseURL != "" {
		return nil
	}
	if _, err := os.Stat(serveFolder); err == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(devFolder, "idp.db")); err == nil {
		return usage(errors.New("there is no database in ./data"), "For the one of idp dev, add --data-dir .idp")
	}
	return nil
}
