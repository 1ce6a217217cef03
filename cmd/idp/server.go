package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/audit"
	"idp/cmd/idp/internal/certificate"
	"idp/cmd/idp/internal/metrics"
	"idp/cmd/idp/internal/traces"
	"idp/mailer"
	"idp/mailer/inbox"
	"idp/mailer/sns"
	"idp/op"
	"idp/otp"
	"idp/store"
	"idp/web/account"
	"idp/web/api"
	"idp/web/browser"
	"idp/web/clientip"
	"idp/web/console"
	"idp/web/console/shell"
	"idp/web/devinbox"
	"idp/web/feedback"
	"idp/web/serve"
	"idp/web/signin"
	"idp/web/turnstile"
	"idp/webhook"
)

// server is everything that runs in one process, put together.
type server struct {
	options     options
	in          *instance
	metrics     *metrics.Metrics // nil: nothing is measured
	traces      *traces.Traces   // nil: nothing is traced
	log         *slog.Logger
	queue       *mailer.Queue
	codes       *otp.Engine
	provider    *op.Provider
	pages       *signin.Pages
	account     *account.Pages
	api         *api.API
	console     *console.Console
	feedback    *mailer.Feedback
	sealer      *audit.Sealer
	webhooks    *webhook.Service
	ip          *clientip.Resolver
	mailbox     *devinbox.Mailbox // nil where there is none
	sites       []site
	certificate certificate.Source // nil: the server speaks http
	started     func()             // told when all listens

	ready    *readiness
	keysMade atomic.Bool
	stopping atomic.Bool
}

// newServer puts the parts together; mailbox tells whether the development mailbox
// is one of them, m measures, and t traces; nil: nothing is.
func newServer(o options, in *instance, mailbox bool, m *metrics.Metrics, t *traces.Traces, log *slog.Logger) (*server, error) {
	in.db.KeepMail = time.Duration(o.MailKeep)
	s := &server{options: o, in: in, metrics: m, traces: t, log: log, ip: clientip.New(o.TrustedProxies, log)}
	s.ready = &readiness{server: s}
	var err error
	s.queue, err = mailer.New(mailer.Deps{
		Store: t.MailStore(m.Mails(in.db)), Ring: in.ring, Senders: s.senders(), Replica: store.NewID(time.Now()), Log: log, Now: in.db.Now, Trace: t.Mails(), Ceiling: o.Ceiling(),
	})
	if err != nil {
		return nil, err
	}
	bots, person, err := o.turnstile()
	if err != nil {
		return nil, err
	}
	s.codes, err = otp.New(otp.Deps{
		Store: in.db, Ring: in.ring, Outbox: s.queue, Config: o.otp, Log: log, Bots: bots, NotMe: strings.TrimRight(o.endpoint.String(), "/") + signin.NotMePath,
	})
	if err != nil {
		return nil, err
	}
	cookies := browser.New(o.endpoint.Scheme == "https")
	path := ""
	if mailbox {
		path = devinbox.Path
		if s.mailbox, err = devinbox.New(devinbox.Deps{Inbox: mails{in.mailbox()}, Browser: cookies, Log: log}); err != nil {
			return nil, err
		}
	}
	s.provider, err = op.New(op.Deps{
		Store: m.Sessions(in.db), Ring: in.ring, Endpoint: o.endpoint, Browser: cookies, Log: log, Asked: m.TokenRequests(),
		Config: op.Config{
			CodeTTL: time.Duration(o.TTLAuthCode), AccessTTL: time.Duration(o.TTLAccessToken), IDTokenTTL: time.Duration(o.TTLIDToken),
			SessionIdle: time.Duration(o.TTLSessionIdle), SessionAbsolute: time.Duration(o.TTLSessionAbsolute),
			RefreshIdle: time.Duration(o.TTLRefreshIdle), RefreshAbsolute: time.Duration(o.TTLRefreshAbsolute),
		},
	})
	if err != nil {
		return nil, err
	}
	service, err := in.service(s.senders(), admin.Frame{CodeTTL: o.otp.CodeTTL, Tries: o.otp.Tries, Digits: o.otp.Digits, Limits: s.codes.Limits}, o.webhookAllow()...)
	if err != nil {
		return nil, err
	}
	codes := m.Codes(s.codes)
	s.pages, err = signin.New(signin.Deps{
		Codes: codes, Requests: s.provider, Clients: in.db, Operators: service, Experiences: in.db, Browser: cookies, Ring: in.ring, ClientIP: s.ip.Of,
		Now: in.db.Now, Endpoint: o.endpoint, Log: log, Digits: o.OTPDigits, Link: o.OTPLink, Person: person, Mailbox: path,
	})
	if err != nil {
		return nil, err
	}
	s.account, err = account.New(account.Deps{
		Store: in.db, SignOuts: s.provider, SignIn: s.pages, Addresses: s.codes, Browser: cookies, Ring: in.ring, Endpoint: o.endpoint,
	})
	if err != nil {
		return nil, err
	}
	s.provider.SetPages(allPages{s.pages, s.account})
	s.api, err = api.New(api.Deps{Admin: service, Tokens: s.provider, Codes: codes, ClientIP: s.ip.Of, Version: buildVersion(), Log: log})
	if err != nil {
		return nil, err
	}
	s.console, err = console.New(console.Deps{
		Deps: shell.Deps{
			Store: in.db, SignIn: s.pages, Browser: cookies, Ring: in.ring, Book: audit.New(in.ring, in.db.Now), Endpoint: o.endpoint, ClientIP: s.ip.Of, Agent: signin.BrowserName, Log: log, Dev: mailbox,
		},
		Admin: service, Previews: allPages{s.pages, s.account}, Instance: told(in, o),
	})
	if err != nil {
		return nil, err
	}
	s.feedback = mailer.NewFeedback(mailer.FeedbackDeps{
		Store: in.db, Topics: o.SESTopics, SNS: sns.New(sns.Config{Topics: o.SESTopics, Now: in.db.Now}), Log: log, Now: in.db.Now,
	})
	s.webhooks, err = webhook.New(webhook.Deps{Store: t.WebhookStore(m.Webhooks(in.db)), Ring: in.ring, Log: log, Suppressed: in.suppressed, Allow: o.webhookAllow(), Agent: agent(), Trace: t.Webhooks()})
	if err != nil {
		return nil, err
	}
	s.sealer = audit.NewSealer(audit.SealerDeps{Store: in.db, Ring: in.ring, Log: log, Deliver: s.webhooks.Deliver, Keep: time.Duration(o.AuditKeep)})
	return s, nil
}

// allPages are the pages that the provider has answer for it. Their names differ in
// their packages only, and an embedded field is called by its name.
type (
	signinPages  = signin.Pages
	accountPages = account.Pages
	allPages     struct {
		*signinPages
		*accountPages
	}
)

// senders are the connectors; the inbox works only where nobody is fooled by it.
func (s *server) senders() mailer.Kinds {
	kinds := s.in.senders()
	if !s.options.loopback() && !s.options.AllowInbox {
		kinds[inbox.ID] = func([]byte) (mailer.Sender, error) {
			return nil, fmt.Errorf("the inbox serves loopback endpoints only, %s is none: start with --allow-inbox, or set another connector", s.options.endpoint)
		}
	}
	return kinds
}

// turnstile is the service that tells people from programs; nil, twice, if there is none.
func (o options) turnstile() (otp.Bots, signin.Person, error) {
	if o.TurnstileSiteKey == "" {
		return nil, nil, nil
	}
	c, err := turnstile.New(turnstile.Config{SiteKey: o.TurnstileSiteKey, Secret: o.TurnstileSecret, Endpoint: o.TurnstileEndpointURL, Host: o.endpoint.Hostname()})
	return c, c, err
}

// maxBody bounds what a request may carry.
const maxBody = 64 << 10

func (s *server) handler() http.Handler {
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{Log: s.log, ClientIP: s.ip.Of, Failed: s.pages.Failed, HTTPS: s.options.endpoint.Scheme == "https", Seen: s.metrics.Requests(), Trace: s.traces.Requests()}))
	r.Get("/healthz", healthz)
	r.Method(http.MethodGet, "/readyz", s.ready)
	if len(s.options.SecurityContact) > 0 {
		r.Get("/.well-known/security.txt", s.securityTxt)
	}
	r.Handle("/oidc/*", s.provider.Handler())
	s.pages.Mount(r)
	s.account.Mount(r)
	s.api.Mount(r)
	s.console.Mount(r)
	feedback.Mount(r, feedback.Deps{Feedback: s.feedback, Log: s.log})
	if s.mailbox != nil {
		s.mailbox.Mount(r)
	}
	bounded := http.MaxBytesHandler(r, maxBody)
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path == feedback.Path || strings.HasPrefix(request.URL.Path, api.Path+"/") || strings.HasPrefix(request.URL.Path, shell.Path+"/") { // have bounds of their own, which are higher
			r.ServeHTTP(w, request)
			return
		}
		bounded.ServeHTTP(w, request)
	})
}
