package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"idp/cmd/idp/internal/settings"
	"idp/doctor"
	"idp/mailer"
)

type doctorCmd struct {
	jsonFlag
	settings.Server `embed:""`

	DNS          string `name:"dns" help:"DNS server to ask (default: the system's)." placeholder:"ADDR" group:"doctor"`
	DKIMSelector string `name:"dkim-selector" help:"Selector of the key that signs the mails, where it is not known here: s= in the DKIM-Signature of one that arrived." placeholder:"NAME" group:"doctor"`

	Client      string `help:"Look at this app: its registration, and its flow against the running server." placeholder:"ID" group:"app"`
	SecretFile  string `name:"client-secret-file" help:"File with the secret that the app has, - for standard input." placeholder:"FILE" group:"app"`
	AppAlg      string `name:"app-alg" help:"Algorithm of ID tokens that the app is set to." enum:",ES256,RS256,ES384,EdDSA" default:"" placeholder:"ALG" group:"app"`
	RedirectURI string `name:"redirect-uri" help:"Redirect URI that the app sends." placeholder:"URI" group:"app"`
	AuthURL     string `name:"auth-url" help:"The whole authorization request that the app sent, from the browser's address bar." placeholder:"URL" group:"app"`
}

// Help shows how it is used.
func (*doctorCmd) Help() string {
	return `Give it the settings of the server. It changes nothing and sends no mail; the exit status is 1 if something does not work.

  idp doctor

  idp doctor --client 8vsegcsqi3v0fxc3ve2jz --client-secret-file secret --auth-url 'https://id.example.com/oidc/auth?client_id=…'`
}

// doctorTimeout bounds a whole visit: most of it is waiting for servers that do not answer.
const doctorTimeout = 2 * time.Minute

// Run looks at everything and tells what it finds as it goes.
func (c *doctorCmd) Run(a *app) error {
	if err := a.guessFolder(); err != nil {
		return err
	}
	secret := ""
	switch {
	case c.Client == "" && (c.SecretFile != "" || c.AppAlg != "" || c.RedirectURI != "" || c.AuthURL != ""):
		return usage(errors.New("--client is missing"), "Which app is it about? Those there are: idp client list")
	case c.SecretFile != "":
		text, err := a.readInput(c.SecretFile)
		if err != nil {
			return usage(fmt.Errorf("--client-secret-file: %w", err), "")
		}
		secret = string(text)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()

	r := &report{app: a, json: c.JSON, colour: a.colour(a.stdout), findings: []mailer.Finding{}}
	v := &visit{app: a, cmd: c, tell: r.tell, dns: doctor.NewResolver(c.DNS), http: doctor.NewClient()}
	if c.Client == "" {
		v.everything(ctx)
	} else if err := v.client(ctx, secret); err != nil {
		return err
	}
	return r.end()
}

// report prints findings, at once for people and in the end for programs.
type report struct {
	app      *app
	json     bool
	colour   bool
	findings []mailer.Finding
}

var colours = map[mailer.Level]string{mailer.OK: "\x1b[32m", mailer.Warning: "\x1b[33m", mailer.Failure: "\x1b[31m"}

func (r *report) tell(f mailer.Finding) {
	r.findings = append(r.findings, f)
	if r.json {
		return
	}
	const levels, checks = 9, 20
	level := fmt.Sprintf("%-*s", levels, f.Level)
	if r.colour {
		level = colours[f.Level] + level + "\x1b[0m"
	}
	fmt.Fprintf(r.app.stdout, "%s%-*s %s\n", level, checks, printable(f.Check), printable(f.Text))
	if f.Fix == "" {
		return
	}
	for line := range strings.SplitSeq(f.Fix, "\n") {
		fmt.Fprintf(r.app.stdout, "%*s%s\n", levels+checks+1, "", printable(line))
	}
}

// end gives the exit status its reason.
func (r *report) end() error {
	if r.json {
		if err := r.app.printJSON(r.findings); err != nil {
			return err
		}
	}
	count := map[mailer.Level]int{}
	for _, f := range r.findings {
		count[f.Level]++
	}
	if n := count[mailer.Failure]; n > 0 {
		return failed(fmt.Errorf("%d of %s failed", n, counted(len(r.findings), "check", "checks")), "")
	}
	if !r.json {
		r.app.note("%s, %s, no failure.", counted(len(r.findings), "check", "checks"), counted(count[mailer.Warning], "warning", "warnings"))
	}
	return nil
}
