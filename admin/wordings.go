package admin

import (
	"context"
	"slices"
	"strings"

	"idp/mailer"
	"idp/store"
)

// RenderedMail is a mail as it goes out.
type RenderedMail = mailer.Rendered

// WordingSource tells whose words a mail has.
type WordingSource = mailer.Source

// The sources of a mail's words.
const (
	WordsOfTemplate  = mailer.SourceTemplate
	WordsOfConnector = mailer.SourceConnector
	WordsOfProgram   = mailer.SourceProgram
)

// MailUsages are the mails that there are words for.
func MailUsages() []store.Usage { return mailer.Usages() }

// MailLocales are the languages that the program words mails in.
func MailLocales() []string { return mailer.Locales() }

// MailVariables are the names that a template can use.
func MailVariables() []string { return mailer.Variables() }

// Wording tells whose words the mail for a usage and a language has.
type Wording struct {
	Usage    store.Usage
	Locale   string
	Source   mailer.Source
	Template store.MailTemplate // with [mailer.SourceTemplate] and [mailer.SourceConnector]
}

// Own tells that the operator has worded just this mail, in just this language.
func (w Wording) Own() bool {
	return w.Source == mailer.SourceTemplate && w.Template.Usage == w.Usage && strings.EqualFold(w.Template.Locale, w.Locale)
}

// Wordings lists all mails in all languages that there are words in, ours or the
// operator's, in the order of [mailer.Usages], and of the languages' tags with English first.
func (s *Service) Wordings(ctx context.Context) ([]Wording, error) {
	templates, own, err := s.words(ctx)
	if err != nil {
		return nil, err
	}
	locales := mailer.Locales()
	for _, t := range templates {
		if !slices.ContainsFunc(locales, func(l string) bool { return strings.EqualFold(l, t.Locale) }) {
			locales = append(locales, t.Locale)
		}
	}
	slices.SortFunc(locales, func(a, b string) int {
		if (a == "en") != (b == "en") {
			return map[bool]int{true: -1, false: 1}[a == "en"]
		}
		return strings.Compare(a, b)
	})
	var all []Wording
	for _, usage := range mailer.Usages() {
		for _, locale := range locales {
			w := Wording{Usage: usage, Locale: locale}
			w.Template, w.Source = mailer.SourceOf(usage, locale, templates, own)
			all = append(all, w)
		}
	}
	return all, nil
}

// Wording tells whose words one mail has. The error is [store.NotFound].
func (s *Service) Wording(ctx context.Context, usage store.Usage, locale string) (Wording, error) {
	w := Wording{Usage: usage, Locale: locale}
	templates, own, err := s.words(ctx)
	if err != nil {
		return w, err
	}
	if !slices.Contains(mailer.Usages(), usage) {
		return w, &store.Error{Code: store.NotFound, Op: "read wording"}
	}
	w.Template, w.Source = mailer.SourceOf(usage, locale, templates, own)
	return w, nil
}

// words are the operator's templates, and those of the connector that is tried first.
func (s *Service) words(ctx context.Context) (templates, own []store.MailTemplate, err error) {
	if templates, err = s.store.FreshMailTemplates(ctx); err != nil {
		return nil, nil, err
	}
	all, err := s.store.FreshConnectors(ctx)
	if err != nil || len(all) == 0 {
		return templates, nil, err
	}
	return templates, s.ownTemplates(all[0]), nil
}

// ownTemplates are those in a connector's configuration; none if it does not work.
func (s *Service) ownTemplates(c store.Connector) []store.MailTemplate {
	text, err := s.connectors.Open(c.Sealed, []byte(c.ID))
	factory, ok := s.senders[c.ID]
	if err != nil || !ok {
		return nil
	}
	sender, err := factory(text)
	if err != nil {
		return nil
	}
	if closer, ok := sender.(mailer.Closer); ok {
		defer func() { _ = closer.Close() }() // nothing was sent
	}
	if t, ok := sender.(mailer.Templated); ok {
		return t.Templates()
	}
	return nil
}

// Draft is a template as it would go out, with sample data, and what is to be said about it.
type Draft struct {
	RenderedMail                         // empty if there are too many words to show
	Warnings     []string                // what can be saved and is probably not meant
	Errors       []*mailer.TemplateError // why it cannot be saved
}

// DraftMailTemplate looks at a template that is not saved.
func (s *Service) DraftMailTemplate(t store.MailTemplate) (out Draft, err error) {
	if t.ContentType == "" {
		t.ContentType = "text/html"
	}
	out.Warnings, err = mailer.CheckTemplate(t, true)
	out.Errors = mailer.TemplateErrors(err)
	if !slices.Contains(mailer.Usages(), t.Usage) || len(t.Content) > mailer.MaxContent {
		return out, nil
	}
	out.RenderedMail, err = mailer.Preview(t.Usage, t.Locale, t)
	return out, err
}

// MailStarter is a template to begin with: the program's own mail for a usage and a language. The
// error is [store.NotFound].
func (s *Service) MailStarter(usage store.Usage, locale string) (store.MailTemplate, error) {
	if !slices.Contains(mailer.Usages(), usage) {
		return store.MailTemplate{}, &store.Error{Code: store.NotFound, Op: "begin mail template"}
	}
	return mailer.Starter(usage, locale)
}
