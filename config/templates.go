package config

import (
	"context"
	"slices"
	"strings"

	"idp/store"
)

// Template is the wording of a mail in a language.
type Template struct {
	Usage       store.Usage `yaml:"templateType" json:"-"`
	Locale      string      `yaml:"languageTag" json:"-"`
	Subject     string      `yaml:"subject" json:"subject"`
	Content     prose       `yaml:"content" json:"content"`
	ContentType string      `yaml:"contentType,omitempty" json:"contentType"` // text/html if it is not there
	ReplyTo     string      `yaml:"replyTo,omitempty" json:"replyTo"`
	SendFrom    string      `yaml:"sendFrom,omitempty" json:"sendFrom"`
}

const html = "text/html"

func (in Instance) loadTemplates(ctx context.Context, f *File) error {
	found, err := in.Admin.MailTemplates(ctx, "", "")
	f.Templates = []Template{}
	for _, t := range found {
		f.Templates = append(f.Templates, Template{t.Usage, t.Locale, t.Subject, prose(t.Content), t.ContentType, t.ReplyTo, t.SendFrom})
	}
	return err
}

func (in Instance) planTemplates(ctx context.Context, p *Plan, there, wanted File, prune bool) error {
	if wanted.Templates == nil {
		return nil
	}
	for i := range wanted.Templates {
		t := &wanted.Templates[i]
		if t.ContentType == "" {
			t.ContentType = html
		}
		same := func(o Template) bool { return o.Usage == t.Usage && strings.EqualFold(o.Locale, t.Locale) }
		if o, is := find(slices.Concat(there.Templates, wanted.Templates[:i]), same); is { // pt-br and pt-BR are one language
			t.Locale = o.Locale
		}
	}
	set := func(ctx context.Context, t Template) error {
		_, err := in.Admin.SetMailTemplates(ctx, in.By, []store.MailTemplate{{Usage: t.Usage, Locale: t.Locale, Subject: t.Subject, Content: string(t.Content),
			ContentType: t.ContentType, ReplyTo: t.ReplyTo, SendFrom: t.SendFrom}})
		return err
	}
	return section[Template]{
		name: "templates", key: func(t Template) string { return string(t.Usage) + " " + t.Locale }, there: there.Templates,
		create: func(ctx context.Context, t Template) (string, error) { return "", set(ctx, t) },
		update: func(ctx context.Context, _, after Template) error { return set(ctx, after) },
		remove: func(ctx context.Context, t Template) error {
			_, err := in.Admin.DeleteMailTemplates(ctx, in.By, t.Usage, t.Locale)
			return err
		},
	}.plan(ctx, p, wanted.Templates, prune)
}
