package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"idp/mailer/ses"
	"idp/store/sqlstore"
)

// openTimeout bounds the wait for a database.
const openTimeout = 10 * time.Second

// database looks without changing anything: it makes no database, no secret and no schema.
func (v *visit) database(ctx context.Context) {
	const check = "database"
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	p, err := v.app.place(serveFolder)
	if err == nil {
		err = p.mustExist()
	}
	var e engine
	if err == nil {
		e, err = p.open(ctx)
	}
	if err != nil {
		v.tell.Fail(check, hintOf(err), "%s", oneLine(err))
		return
	}
	defer context.AfterFunc(ctx, e.Hurry)()
	opened := v.lookAt(ctx, p, e)
	if opened == nil {
		_ = e.Close()
	}
	v.in = opened
}

// lookAt gives the instance, or nil if it is of no use.
func (v *visit) lookAt(ctx context.Context, p place, e engine) *instance {
	const check = "database"
	version, query := "", `SELECT sqlite_version()`
	if p.sqlite == "" {
		query = `SELECT current_setting('server_version')`
	}
	if err := e.Read(ctx, query, nil, func(scan func(...any) error) error { return scan(&version) }); err != nil {
		err = databaseFailure("ask the database", err)
		v.tell.Fail(check, hintOf(err), "%s", oneLine(err))
		return nil
	}
	v.tell.OK(check, "%s %s answers", map[bool]string{true: "SQLite", false: "Postgres"}[p.sqlite != ""], version)
	if !v.schema(ctx, e) {
		return nil
	}
	v.clock(ctx, p, e)
	v.folder(p)
	return v.secret(ctx, p, e)
}

func (v *visit) schema(ctx context.Context, e engine) bool {
	const check = "schema"
	all, err := e.MigrationStatus(ctx)
	if err != nil {
		v.tell.Fail(check, "", "%s", oneLine(err))
		return false
	}
	var known, added int64 // the newest migration of this command, and how many the database has beyond it
	for _, s := range all {
		if s.Name != "" {
			known = max(known, s.Version)
		} else if s.Applied {
			added++
		}
	}
	if added > 0 {
		var floor int64
		if err := e.Read(ctx, `SELECT schema_floor FROM instance WHERE id = 1`, nil, func(scan func(...any) error) error { return scan(&floor) }); err != nil {
			v.tell.Fail(check, "", "%s", oneLine(err))
			return false
		}
		if floor > known {
			v.tell.Fail(check, "Run the newer idp that changed the database.", "the database is of a later version than this command")
			return false
		}
		v.tell.Warn(check, "Where the upgrade was taken back on purpose, that is all right.", "a later version has added to the database (%d migrations); this one works on it", added)
		return true
	}
	if n := pending(all); n > 0 {
		v.tell.Fail(check, "Start the server, which does it by itself, or: idp migrate up", "%d of %d migrations are not applied", n, len(all))
		return false
	}
	v.tell.OK(check, "all %d migrations are applied", len(all))
	return true
}

// Skews between clocks. Client libraries allow a token 30 s to 5 min.
const (
	skewWarning = 2 * time.Second
	skewFailure = 30 * time.Second
)

func (v *visit) clock(ctx context.Context, p place, e engine) {
	var micros, mark int64
	before := time.Now()
	err := e.Read(ctx, `SELECT `+e.Clock()+`, high_water FROM instance WHERE id = 1`, nil, func(scan func(...any) error) error { return scan(&micros, &mark) })
	if err != nil {
		v.tell.Fail("clock", "", "%s", oneLine(err))
		return
	}
	if ahead := time.Duration(mark-micros) * time.Microsecond; ahead > skewWarning {
		v.tell.Warn("clock", "Let it keep time by NTP. If the wait is too long: docs/reliability.md.",
			"the database's clock was %s ahead and went back: time goes at half speed here until it has caught up, and what is made until then is dated ahead", ahead.Round(time.Second))
	}
	if p.sqlite == "" { // else it is this machine's
		v.judgeClock("the database's", time.UnixMicro(micros).Sub(before.Add(time.Since(before)/2)))
	}
}

func (v *visit) judgeClock(whose string, ahead time.Duration) {
	const check, fix = "clock", "Let both keep time by NTP."
	switch off := ahead.Abs(); {
	case off > skewFailure:
		v.tell.Fail(check, fix, "%s is %s off this machine's: tokens and codes are taken for expired, or not yet valid", whose, off.Round(time.Second))
	case off > skewWarning:
		v.tell.Warn(check, fix, "%s is %s off this machine's", whose, off.Round(100*time.Millisecond))
	default:
		v.tell.OK(check, "as %s", whose)
	}
}

// folder finds secrets that others on the machine can read.
func (v *visit) folder(p place) {
	const check = "data folder"
	if p.sqlite == "" || runtime.GOOS == "windows" {
		return
	}
	var open []string
	for _, path := range []string{p.folder, filepath.Join(p.folder, "secret"), p.sqlite} {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if inside := info.Mode().Perm() & 0o077; inside != 0 && (info.IsDir() || shut(path) != nil) {
			open = append(open, path)
		}
	}
	if len(open) > 0 {
		v.tell.Warn(check, "chmod go-rwx "+strings.Join(open, " "), "open to other users of this machine: %s", strings.Join(open, ", "))
		return
	}
	v.tell.OK(check, "%s is closed to other users", p.folder)
}

// shut tells, with nil, that the folder around a file keeps others out.
func shut(path string) error {
	info, err := os.Stat(filepath.Dir(path))
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = errors.New("open")
	}
	return err
}

func (v *visit) secret(ctx context.Context, p place, e engine) *instance {
	const check = "instance secret"
	ring, err := v.app.ring(p)
	if err != nil {
		v.tell.Fail(check, hintOf(err), "%s", oneLine(err))
		return nil
	}
	in := &instance{place: p, db: sqlstore.New(e), ring: ring, ses: ses.Options{Endpoint: v.app.AWSEndpointURL}}
	fingerprint := ring.MAC("instance check")
	if err = in.db.Start(ctx); err == nil {
		err = in.db.CheckSecret(ctx, fingerprint.Sum(), fingerprint.Sums())
	}
	if err != nil {
		v.tell.Fail(check, "Give the right one as IDP_SECRET or IDP_SECRET_FILE; after a change of secret, the old one as IDP_SECRET_PREVIOUS.", "%s", oneLine(err))
		_ = in.db.Close()
		return nil
	}
	v.tell.OK(check, "belongs to this database")
	return in
}
