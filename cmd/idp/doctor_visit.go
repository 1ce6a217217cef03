package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"idp/cmd/idp/internal/certificate"
	"idp/doctor"
	"idp/mailer/ses"
	"idp/store"
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
		defer context.AfterFunc(ctx, v.in.db.Hurry)()
	}
	keys := v.keys(ctx)
	if settled {
		v.certificateFiles()
		doctor.Issuer{Endpoint: v.options.endpoint, Version: buildVersion(), Keys: keys, HTTP: v.http}.Check(ctx, v.tell)
		v.proxy()
	}
	if v.in != nil {
		v.connectors(ctx)
		v.mail(ctx)
		v.alarms(ctx)
	}
}

// settings checks what the server would refuse to start with.
func (v *visit) settings() (ok bool) {
	const check = "settings"
	o, err := v.app.newOptions(v.cmd.Server, ":3001")
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

// proxy: a server without a certificate speaks http, so what is https has a proxy in
// front. Not naming it makes all people one network to the limits.
func (v *visit) proxy() {
	const check = "proxy"
	switch {
	case v.options.TLS() && len(v.options.TrustedProxies) == 0:
		v.tell.OK(check, "none: the server holds the certificate itself")
	case v.options.endpoint.Scheme == "https" && len(v.options.TrustedProxies) == 0:
		v.tell.Warn(check, "Name its network: IDP_TRUSTED_PROXIES=10.0.0.0/8 (and have it set X-Forwarded-For).",
			"the endpoint is https, so a proxy is in front, and none is trusted: all people come from one address to the limits per network")
	case v.options.endpoint.Scheme == "https":
		v.tell.OK(check, "forwarding headers are believed from %s", v.options.TrustedProxies)
	default:
		v.tell.OK(check, "none: the endpoint is http, on this machine only")
	}
}

// certificateFiles finds files that the server would not start with, or that were not
// renewed: what it serves is seen from outside, and may be older.
func (v *visit) certificateFiles() {
	const check = "certificate files"
	o := v.options
	if o.TLSCertFile == "" {
		return
	}
	pair, err := certificate.Load(o.TLSCertFile, o.TLSKeyFile)
	if err != nil {
		v.tell.Fail(check, "They are named in IDP_TLS_CERT_FILE, the whole chain with the server's own first, and IDP_TLS_KEY_FILE.", "%s", oneLine(err))
		return
	}
	end := pair.Leaf.NotAfter
	day, name := end.Format(time.DateOnly), pair.Leaf.VerifyHostname(o.endpoint.Hostname())
	switch {
	case time.Now().After(end):
		v.tell.Fail(check, "Renew it.", "expired on %s", day)
	case name != nil:
		v.tell.Warn(check, "Get a certificate for the name in IDP_ENDPOINT, unless a proxy in front has one.", "%s", oneLine(name))
	case time.Until(end) < pair.Leaf.NotAfter.Sub(pair.Leaf.NotBefore)/5:
		v.tell.Warn(check, "Renew it, and look at why it did not renew by itself.", "good until %s", day)
	default:
		v.tell.OK(check, "for %s, good until %s", o.endpoint.Hostname(), day)
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
		v.tell.Fail("queue", "Look at the connectors above, and at the server's log.", "%s, the oldest since %s", counted(queued, "mail waits", "mails wait"), v.in.db.Now().Sub(oldest).Round(time.Second))
	default:
		v.tell.OK("queue", "%s", counted(queued, "mail on its way", "mails on their way"))
	}
	n, err := v.in.db.SuppressedCount(ctx)
	switch {
	case err != nil:
		v.tell.Fail("suppression list", "", "%s", oneLine(err))
	case n == 0:
		v.tell.OK("suppression list", "empty")
	default:
		v.tell.OK("suppression list", "%s no mail", counted(n, "address takes", "addresses take"))
	}
}

// alarms tells which are on.
func (v *visit) alarms(ctx context.Context) {
	const check = "alarms"
	all, err := v.in.db.Alarms(ctx)
	if err != nil {
		v.tell.Fail(check, "", "%s", oneLine(err))
		return
	}
	quiet := true
	for _, a := range all {
		if !a.On() {
			continue
		}
		quiet = false
		switch a.Name {
		case store.AlarmMails:
			v.tell.Warn(check, "It ends by itself when fewer mails go out. If nobody floods the sign-in, raise IDP_LIMIT_MAILS.",
				"the ceiling of all mails has been reached since %s: nobody but operators can ask for codes", moment(&a.Raised))
		case store.AlarmGuesses:
			v.tell.Warn(check, "It ends by itself. The audit log says how many guesses there were (idp audit list --kind guess_alarm.raised), the server's log from which networks.",
				"codes are being guessed at on many addresses since %s: new ones have 8 digits", moment(&a.Raised))
		}
	}
	if quiet {
		v.tell.OK(check, "none")
	}
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
