package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"idp/audit"
	"idp/cmd/idp/internal/settings"
	"idp/cmd/idp/internal/traces"
	"idp/mailer/inbox"
	"idp/otp"
	"idp/store"
	"idp/store/sqlite"
)

type serveCmd struct {
	settings.Server   `embed:""`
	settings.Webhooks `embed:""`
}

// Help shows how it is used.
func (*serveCmd) Help() string {
	return `Examples:

  idp serve                                    SQLite in ./data, http://localhost:3001

  IDP_ENDPOINT=https://id.example.com IDP_DATABASE_URL=postgres://idp@db/idp IDP_SECRET_FILE=/run/secrets/idp idp serve

  IDP_ENDPOINT=https://id.example.com IDP_ACME_ACCEPT_TERMS=true idp serve --listen :443 --redirect-listen :80

Without a certificate the server speaks http: put it behind a reverse proxy that holds one, and name that proxy in IDP_TRUSTED_PROXIES.`
}

// Run serves until a signal.
func (c *serveCmd) Run(a *app) error {
	o, err := a.newOptions(c.Server, ":3001")
	if err != nil {
		return err
	}
	o.Webhooks = c.Webhooks
	p, err := a.place(serveFolder)
	if err != nil {
		return err
	}
	return a.serve(o, p, nil)
}

// options are the server's settings, checked.
type options struct {
	settings.Server
	settings.Webhooks
	endpoint *url.URL
	otp      otp.Config
	dev      bool
	seed     *seed // nil: none
}

func (a *app) newOptions(s settings.Server, listen string) (options, error) {
	err := a.source.CompleteServer(&s)
	o := options{Server: s}
	if err != nil {
		return o, usage(err, "")
	}
	if o.Listen == "" {
		o.Listen = listen
	}
	if o.Endpoint == "" {
		if o.Endpoint, err = settings.LocalEndpoint(o.Listen); err != nil {
			return o, usage(err, "")
		}
	}
	if o.endpoint, err = settings.ParseEndpoint(o.Endpoint); err != nil {
		return o, usage(err, "")
	}
	if o.otp, err = s.OTP(); err != nil {
		return o, usage(err, "")
	}
	for _, check := range []func() error{s.CheckTTL, s.CheckMail, s.CheckCeiling, s.CheckAudit, s.CheckStop, s.CheckSecurity, s.CheckMetrics, traces.Check, s.CheckTurnstile, func() error { return s.CheckTLS(o.endpoint) }} {
		if err := check(); err != nil {
			return o, usage(err, "")
		}
	}
	return o, nil
}

// webhookAllow are the networks that webhooks may post to though they are not public.
// idp dev is for trying things out on one machine.
func (o options) webhookAllow() []netip.Prefix {
	if o.dev && len(o.PrivateHooks) == 0 {
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	return o.PrivateHooks
}

func (o options) loopback() bool { return store.IsLoopback(o.endpoint.Hostname()) }

// serve runs a server on the database at p until a signal, then finishes what is
// in flight. more, if not nil, adds what idp dev has on top.
func (a *app) serve(o options, p place, more func(context.Context, *instance, *server) error) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on a second signal ends the process at once
	log := a.logger()
	boundMemory()
	if p.sqlite != "" {
		if err := p.makeFolders(); err != nil { // the lock is a file there
			return err
		}
		unlock, err := sqlite.Lock(p.sqlite)
		if err != nil {
			return failed(err, "")
		}
		defer unlock()
	}
	ln, err := listen("--listen", o.Listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	private, err := a.monitor(o)
	if err != nil {
		return err
	}
	if private != nil {
		defer private.Close()
	}
	if a.traces, err = traces.New(ctx, buildVersion(), log); err != nil {
		return usage(err, "")
	}
	defer func() { err = errors.Join(err, a.traces.Close(ctx)) }()
	in, err := a.openPatiently(ctx, p, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.db.Close()) }()
	if err := in.admin.NeedOwners(ctx, audit.Command(), o.AdminEmails); err != nil {
		return err
	}
	if o.dev {
		if err := errors.Join(in.needConnector(ctx), in.needOwner(ctx)); err != nil {
			return err
		}
		if err := a.sow(ctx, in, o); err != nil {
			return err
		}
	}
	mailbox, err := o.checkInbox(ctx, in, log)
	if err != nil {
		return err
	}
	s, err := newServer(o, in, mailbox, a.metrics, a.traces, log)
	if err != nil {
		return err
	}
	s.add("server", ln, s.parting(s.handler()))
	redirect, err := s.secure()
	if err != nil {
		return err
	}
	if redirect != nil {
		defer redirect.Close()
	}
	s.monitored(private)
	if more != nil {
		if err := more(ctx, in, s); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(slices.Values(o.Off())) {
		log.Warn("a limit is switched off", "setting", name)
	}
	if in.name() == "sqlite" && !o.loopback() {
		log.Info("SQLite serves one process on one machine; back the data folder up", "file", p.sqlite)
	}
	return s.run(ctx)
}

// listen takes an address; flag is what changes it.
func listen(flag, address string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, failed(fmt.Errorf("the address %s is in use", address), "Is another idp running? Choose another address with "+flag+".")
	case errors.Is(err, syscall.EACCES):
		return nil, failed(fmt.Errorf("the address %s needs privileges", address), "Choose a port above 1023 with "+flag+", behind a reverse proxy.")
	case err != nil:
		return nil, usage(fmt.Errorf("listen: %w", err), "Change it with "+flag+".")
	}
	return ln, nil
}

// patience is how long a start waits for a database that is starting too.
const patience = 30 * time.Second

// openPatiently opens the instance, and tries again while the database is away.
func (a *app) openPatiently(ctx context.Context, p place, log *slog.Logger) (*instance, error) {
	deadline := time.Now().Add(patience)
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		in, err := a.open(ctx, p)
		if err == nil || p.sqlite != "" || store.CodeOf(err) != store.Unavailable || time.Now().Add(pause).After(deadline) {
			return in, err
		}
		log.Warn("the database does not answer, trying again", "err", err, "wait", pause)
		select {
		case <-ctx.Done():
			return nil, failed(errors.New("stopped before the database answered"), "")
		case <-time.After(pause):
		}
	}
}

// checkInbox tells whether there is a development mailbox, and refuses to run a
// public server whose mails reach nobody.
func (o options) checkInbox(ctx context.Context, in *instance, log *slog.Logger) (mailbox bool, err error) {
	connectors, err := in.db.Connectors(ctx)
	if err != nil {
		return false, err
	}
	if len(connectors) == 0 {
		log.Warn("no connector is set: mails wait in the queue and expire", "hint", "idp connector set --help")
	}
	for _, c := range connectors {
		switch {
		case c.ID != inbox.ID:
		case o.loopback():
			return true, nil
		case !o.AllowInbox:
			return false, usage(fmt.Errorf("the connector inbox keeps all mails on this server, and %s is open to others", o.endpoint),
				"Set another connector: idp connector set --help\nOr, for a trial that you read the mails of, add --allow-inbox.")
		default:
			log.Warn("the connector inbox keeps all mails on this server, and its mailbox opens on loopback endpoints only")
		}
	}
	return false, nil
}
