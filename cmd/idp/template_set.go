package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"idp/audit"
	"idp/mailer"
	"idp/store"
)

// draft is a template on the command line.
type draft struct {
	File    string `help:"The mail's content, HTML or plain text; - reads standard input." placeholder:"FILE"`
	Subject string `help:"The mail's subject." placeholder:"TEXT"`
	Type    string `help:"html or text (default: by the file's name, html unless it ends in .txt)." enum:"html,text," default:"" placeholder:"TYPE"`
	ReplyTo string `name:"reply-to" help:"Where answers go." placeholder:"ADDRESS"`
	From    string `help:"Sender instead of the connector's, Name <address>." placeholder:"ADDRESS"`
}

// read makes the template of the flags, checks it, and prints the warnings.
func (d draft) read(a *app, name, locale string) (store.MailTemplate, error) {
	content, err := a.readInput(d.File)
	if err != nil {
		return store.MailTemplate{}, usage(err, "")
	}
	t := store.MailTemplate{Usage: store.Usage(name), Locale: locale, Subject: d.Subject, Content: string(content), ContentType: "text/html",
		ReplyTo: d.ReplyTo, SendFrom: d.From}
	if d.Type == "text" || d.Type == "" && strings.EqualFold(filepath.Ext(d.File), ".txt") {
		t.ContentType = "text/plain"
	}
	if t.Subject == "" {
		t.Subject = "(no subject yet)"
	}
	warnings, err := mailer.CheckTemplate(t, true)
	for _, w := range warnings {
		a.note("Warning: %s.", printable(w))
	}
	if err != nil {
		return store.MailTemplate{}, usage(fmt.Errorf("%s: %w", printable(d.File), err), "")
	}
	return t, nil
}

type templateSetCmd struct {
	jsonFlag
	mailName
	draft `embed:""`
}

// Help shows how it is used.
func (*templateSetCmd) Help() string {
	return `Examples:

  idp template set SignIn en --file signin.html --subject 'Sign in to {{ application.name }}'

  idp template set SignIn ja --file signin.ja.html --subject '{{ application.name }} へのサインイン' --reply-to help@example.com

  idp template preview SignIn en --file draft.html --out .

The content may name {{ code }}, {{ link }}, {{ notMe }}, {{ minutes }}, {{ locale }}, {{ application.name }}, {{ organization.name }},
{{ user.primaryEmail }}, {{ request.time }}, {{ request.place }} and {{ request.browser }}. What stands for them is escaped in HTML. A
template serves its language and the regions of it (ja: ja-JP); the languages without one keep the program's own mail.
The running server takes it up within seconds.`
}

// Run checks a template and stores it.
func (c *templateSetCmd) Run(a *app) error {
	if c.File == "" {
		return usage(errors.New("the content of the mail is missing"), "Add --file FILE.")
	}
	if c.Subject == "" {
		return usage(errors.New("the subject of the mail is missing"), "Add --subject TEXT.")
	}
	t, err := c.read(a, c.Usage, c.Locale)
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		stored, err := in.admin.SetMailTemplates(ctx, audit.Command(), []store.MailTemplate{t})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.printJSON(templateViewOf(stored[0]))
		}
		t = stored[0]
		a.note("The mail for %s in %s says this now. See it: idp template preview %s %s", t.Usage, t.Locale, t.Usage, t.Locale)
		return nil
	})
}

type templateCheckCmd struct {
	jsonFlag
	Path   string `arg:"" name:"file" help:"The template's file; - reads standard input."`
	Usage  string `help:"Which mail it is for." default:"Generic" placeholder:"USAGE"`
	Locale string `help:"Its language." default:"en" placeholder:"TAG"`
	Subj   string `name:"subject" help:"The mail's subject." placeholder:"TEXT"`
	Kind   string `name:"type" help:"html or text, as in idp template set." enum:"html,text," default:"" placeholder:"TYPE"`
}

// Run checks a file; nothing is stored.
func (c *templateCheckCmd) Run(a *app) error {
	_, wrong := draft{File: c.Path, Subject: c.Subj, Type: c.Kind}.read(a, c.Usage, c.Locale)
	if wrong != nil {
		if c.JSON {
			if err := a.printJSON(map[string]any{"ok": false, "errors": strings.Split(wrong.Error(), "\n")}); err != nil {
				return err
			}
		}
		return wrong
	}
	if c.JSON {
		return a.printJSON(map[string]any{"ok": true})
	}
	a.note("No mistakes.")
	return nil
}
