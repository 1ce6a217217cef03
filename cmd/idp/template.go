package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"idp/audit"
	"idp/mailer"
	"idp/store"
)

type templateCmd struct {
	List    templateListCmd    `cmd:"" help:"List the mails that you have worded yourself."`
	Show    templateShowCmd    `cmd:"" help:"Print one template."`
	Set     templateSetCmd     `cmd:"" help:"Word a mail in one language, from a file."`
	Delete  templateDeleteCmd  `cmd:"" help:"Go back to the mail that comes with the program."`
	Preview templatePreviewCmd `cmd:"" help:"Show a mail as it goes out, with sample data."`
	Check   templateCheckCmd   `cmd:"" help:"Look for mistakes in a template file."`
}

// templateView is a template as the command prints it.
type templateView struct {
	ID          string    `json:"id"`
	Usage       string    `json:"usage"`
	Locale      string    `json:"locale"`
	Subject     string    `json:"subject"`
	ContentType string    `json:"contentType"`
	ReplyTo     string    `json:"replyTo,omitempty"`
	SendFrom    string    `json:"sendFrom,omitempty"`
	Content     string    `json:"content,omitempty"` // of one template, not in lists
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

func templateViewOf(t store.MailTemplate) templateView {
	return templateView{ID: t.ID, Usage: string(t.Usage), Locale: t.Locale, Subject: t.Subject, ContentType: t.ContentType,
		ReplyTo: t.ReplyTo, SendFrom: t.SendFrom, Content: t.Content, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
}

// mailName names a mail on the command line.
type mailName struct {
	Usage  string `arg:"" help:"Which mail: SignIn, Register, ForgotPassword, Generic, UserPermissionValidation, BindNewIdentifier, OrganizationInvitation, Recovered, NoAccount or Closed."`
	Locale string `arg:"" help:"Its language: en, ja, pt-BR …"`
}

type templateListCmd struct{ jsonFlag }

// Run lists the operator's templates.
func (c *templateListCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		found, err := in.db.MailTemplates(ctx)
		if err != nil {
			return err
		}
		views, rows := []templateView{}, [][]string{{"USAGE", "LANGUAGE", "SUBJECT", "CHANGED"}}
		for _, t := range found {
			v := templateViewOf(t)
			v.Content = ""
			views = append(views, v)
			rows = append(rows, []string{v.Usage, v.Locale, v.Subject, day(v.UpdatedAt)})
		}
		switch {
		case c.JSON:
			return a.printJSON(views)
		case len(views) == 0:
			a.note("All mails are those that come with the program (in %s). Word one yourself: idp template set --help", strings.Join(mailer.Locales(), ", "))
			return nil
		}
		return a.table(rows...)
	})
}

type templateShowCmd struct {
	jsonFlag
	mailName
}

// Run prints one template: what it says on standard output, the rest beside it.
func (c *templateShowCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		t, err := in.template(ctx, c.mailName)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.printJSON(templateViewOf(t))
		}
		a.note("Subject: %s", printable(t.Subject))
		fmt.Fprintln(a.stdout, t.Content)
		return nil
	})
}

// template finds the operator's template of exactly that name.
func (in *instance) template(ctx context.Context, name mailName) (store.MailTemplate, error) {
	all, err := in.db.MailTemplates(ctx)
	if err != nil {
		return store.MailTemplate{}, err
	}
	i := slices.IndexFunc(all, func(t store.MailTemplate) bool {
		return string(t.Usage) == name.Usage && strings.EqualFold(t.Locale, name.Locale)
	})
	if i < 0 {
		return store.MailTemplate{}, noTemplate(name)
	}
	return all[i], nil
}

func noTemplate(name mailName) error {
	return failed(fmt.Errorf("there is no template of yours for %s in %s", printable(name.Usage), printable(name.Locale)),
		"See them all: idp template list. See the mail that goes out: idp template preview "+printable(name.Usage)+" "+printable(name.Locale))
}

type templateDeleteCmd struct{ mailName }

// Run removes a template.
func (c *templateDeleteCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		t, err := in.template(ctx, c.mailName)
		if err != nil {
			return err
		}
		if err := in.admin.DeleteMailTemplate(ctx, audit.Command(), t.ID, time.Time{}); err != nil {
			if store.CodeOf(err) == store.NotFound {
				return noTemplate(c.mailName)
			}
			return err
		}
		a.note("Removed. The mail for %s in %s is the program's own again.", t.Usage, t.Locale)
		return nil
	})
}

type templatePreviewCmd struct {
	jsonFlag
	Usage  string `arg:"" help:"Which mail, as in idp template set."`
	Locale string `arg:"" optional:"" default:"en" help:"The reader's language."`
	Out    string `help:"Write USAGE.LOCALE.html and .txt into this folder." placeholder:"DIR"`
	draft  `embed:""`
}

// Run shows a mail with sample data: a draft if there is one, else what is in use. A
// template in a connector's own configuration is not looked at.
func (c *templatePreviewCmd) Run(a *app) error {
	if !slices.Contains(mailer.Usages(), store.Usage(c.Usage)) {
		return usage(fmt.Errorf("there is no mail for %q", printable(c.Usage)), "See them: idp template set --help")
	}
	if c.File != "" {
		t, err := c.read(a, c.Usage, c.Locale)
		if err != nil {
			return err
		}
		return c.show(a, t)
	}
	return a.with(func(ctx context.Context, in *instance) error {
		all, err := in.db.MailTemplates(ctx)
		if err != nil {
			return err
		}
		return c.show(a, all...)
	})
}

func (c *templatePreviewCmd) show(a *app, templates ...store.MailTemplate) error {
	r, err := mailer.Preview(store.Usage(c.Usage), c.Locale, templates...)
	if err != nil {
		return failed(err, "")
	}
	if c.Out != "" {
		name := filepath.Join(c.Out, c.Usage+"."+filepath.Base(c.Locale))
		html := os.WriteFile(name+".html", []byte(r.HTML), 0o600)
		text := os.WriteFile(name+".txt", []byte("Subject: "+r.Subject+"\n\n"+r.Text), 0o600)
		if err := errors.Join(html, text); err != nil {
			return failed(err, "")
		}
		a.note("Wrote %s.html and %s.txt.", name, name)
		return nil
	}
	if c.JSON {
		return a.printJSON(map[string]string{"subject": r.Subject, "text": r.Text, "html": r.HTML, "locale": r.Locale, "replyTo": r.ReplyTo, "sendFrom": r.Sender})
	}
	fmt.Fprintf(a.stdout, "Subject: %s\n\n%s\n", printable(r.Subject), strings.TrimRight(r.Text, "\n"))
	return nil
}
