package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"idp/doctor"
	"idp/mailer"
	"idp/mailer/ses"
	"idp/store"
	"idp/store/sqlstore"
)

// visit is one run of idp doctor.
type visit struct {
	app     *app
	cmd     *doctorCmd
	tell    doctor.Tell
	dns     doctor.Resolver
	http    *http.Client
	options options
	in      *instance // nil if the database is not there
}

// everything looks at all but the apps.
func (v *visit) everything(ctx context.Context) {
	settled := v.settings()
	v.database(ctx)
	if v.in != nil {
		defer func() { _ = v.in.db.Close() }()
	}
	keys := v.keys(ctx)
	if settled {
		doctor.Issuer{Endpoint: v.options.endpoint, Version: buildVersion(), Keys: keys, HTTP: v.http}.Check(ctx, v.tell)
		v.proxy()
	}
	if v.in != nil {
		v.connectors(ctx)
		v.mail(ctx)
	}
}

// settings checks what the server would refuse to start with.
func (v *visit) settings() (ok bool) {
	const check = "settings"
	o, err := newOptions(v.cmd.Server, ":3001")
	if err != nil {
		v.tell.Fail(check, hintOf(err), "%s", oneLine(err))
		return false
	}
	if err := ses.CheckEndpoint(v.app.AWSEndpointURL); err != nil {
		v.tell.Fail(check, "", "IDP_AWS_ENDPOINT_URL: %s", oneLine(err))
		return false
	}
	v.options = o
	v.tell.OK(check, "the endpoint is %s", o.endpoint)
	for _, name := range o.Off() {
		v.tell.Warn("limits", "Take "+name+"=off away.", "%s is switched off", name)
	}
	return true
}

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
	for _, s := range all {
		if s.Applied && s.Name == "" {
			v.tell.Fail(check, "Run the newer idp that changed the database.", "the database is of a later version than this command")
			return false
		}
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
	if p.sqlite != "" {
		return // the same machine's
	}
	var micros int64
	before := time.Now()
	err := e.Read(ctx, `SELECT `+e.Clock(), nil, func(scan func(...any) error) error { return scan(&micros) })
	if err != nil {
		v.tell.Fail("clock", "", "%s", oneLine(err))
		return
	}
	v.judgeClock("the database's", time.UnixMicro(micros).Sub(before.Add(time.Since(before)/2)))
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

// keys gives the ids of the signing keys, nil if they are not known.
func (v *visit) keys(ctx context.Context) []string {
	const check = "signing keys"
	if v.in == nil {
		return nil
	}
	found, err := v.in.db.SigningKeys(ctx)
	if err != nil {
		v.tell.Fail(check, "", "%s", oneLine(err))
		return nil
	}
	ids, algs := []string{}, []string{}
	for _, k := range found {
		ids = append(ids, k.ID)
		if k.RetiredAt.IsZero() {
			algs = append(algs, k.Alg)
		}
	}
	if len(algs) == 0 {
		v.tell.Warn(check, "Start it: idp serve", "none yet: the server makes them at its first start")
		return nil
	}
	v.tell.OK(check, "%s", strings.Join(algs, ", "))
	return ids
}

// proxy: the server speaks http, so what is https has a proxy in front. Not naming it
// makes all people one network to the limits.
func (v *visit) proxy() {
	const check = "proxy"
	switch {
	case v.options.endpoint.Scheme == "https" && len(v.options.TrustedProxies) == 0:
		v.tell.Warn(check, "Name its network: IDP_TRUSTED_PROXIES=10.0.0.0/8 (and have it set X-Forwarded-For).",
			"the endpoint is https, so a proxy is in front, and none is trusted: all people come from one address to the limits per network")
	case v.options.endpoint.Scheme == "https":
		v.tell.OK(check, "forwarding headers are believed from %s", v.options.TrustedProxies)
	default:
		v.tell.OK(check, "none: the endpoint is http, on this machine only")
	}
}

// mail looks at the queue and the suppression list.
func (v *visit) mail(ctx context.Context) {
	queued, oldest, err := v.in.db.MailDepth(ctx)
	switch {
	case err != nil:
		v.tell.Fail("queue", "", "%s", oneLine(err))
	case queued == 0:
		v.tell.OK("queue", "empty")
	case v.in.db.Now().Sub(oldest) > time.Minute:
		v.tell.Fail("queue", "Look at the connectors above, and at the server's log.", "%d mails wait, the oldest since %s", queued, v.in.db.Now().Sub(oldest).Round(time.Second))
	default:
		v.tell.OK("queue", "%d mails on their way", queued)
	}
	n, err := v.in.db.SuppressedCount(ctx)
	switch {
	case err != nil:
		v.tell.Fail("suppression list", "", "%s", oneLine(err))
	case n == 0:
		v.tell.OK("suppression list", "empty")
	default:
		v.tell.OK("suppression list", "%d addresses take no mail", n)
	}
}

// client looks at one app. The error is that it is not there.
func (v *visit) client(ctx context.Context, secret string) error {
	aloud := v.tell
	v.tell = func(f mailer.Finding) { // what works is not what was asked about
		if f.Level == mailer.Failure {
			aloud(f)
		}
	}
	settled := v.settings()
	v.database(ctx)
	if v.in == nil || !settled {
		return nil
	}
	defer func() { _ = v.in.db.Close() }()
	found, err := v.in.db.Client(ctx, v.cmd.Client)
	if err != nil {
		return noClient(err, v.cmd.Client)
	}
	v.tell = aloud
	app := doctor.App{Client: found, Endpoint: v.options.endpoint, Secret: secret, Alg: v.cmd.AppAlg, HTTP: v.http}
	v.tell.OK("app", "%s, a %s app", found.Name, found.Type)
	app.CheckRegistration(v.tell)
	if v.cmd.RedirectURI != "" {
		app.CheckRedirect(v.tell, v.cmd.RedirectURI)
	}
	quiet := doctor.Tell(func(f mailer.Finding) {
		if f.Level == mailer.Failure || f.Check == "issuer" {
			v.tell(f)
		}
	})
	metadata, ok := doctor.Issuer{Endpoint: v.options.endpoint, HTTP: v.http}.Check(ctx, quiet)
	if !ok {
		return nil
	}
	app.CheckFlow(ctx, v.tell, metadata)
	if v.cmd.AuthURL != "" {
		app.CheckURL(ctx, v.tell, v.cmd.AuthURL, metadata)
	}
	return nil
}

// hintOf is what mends an error, if it says.
func hintOf(err error) string {
	var f *failure
	if errors.As(err, &f) {
		return f.hint
	}
	if store.CodeOf(err) == store.Unavailable {
		return "Check IDP_DATABASE_URL, and that the database runs."
	}
	return ""
}

func oneLine(err error) string { return strings.Join(strings.Fields(fmt.Sprint(err)), " ") }
