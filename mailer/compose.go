package mailer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"idp/store"
)

// compose words a mail for the sender it goes through: with the operator's template for
// its usage and language, else the sender's own, else ours. The sender is nil
// where none is known.
func (q *Queue) compose(ctx context.Context, m store.Message, s Sender) (Rendered, error) {
	templates, err := q.store.MailTemplates(ctx)
	if templates, err = q.texts.lastKnown(templates, err); err != nil {
		// The operator's words may be what the law asks for: the mail waits for them.
		return Rendered{}, &SendError{Class: Temporary, Err: fmt.Errorf("read the mail templates: %w", err)}
	}
	var own []store.MailTemplate
	if t, ok := s.(Templated); ok {
		own = t.Templates()
	}
	return q.texts.compose(m, templates, own)
}

// lastKnown stands in for templates that cannot be read now.
func (r *renderer) lastKnown(templates []store.MailTemplate, err error) ([]store.MailTemplate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.templates, r.read = templates, true
	case !r.read:
		return nil, err
	}
	return r.templates, nil
}

func (r *renderer) compose(m store.Message, templates, own []store.MailTemplate) (Rendered, error) {
	if len(templates)+len(own) > 0 && coded(m.Usage) == (m.Code != "") { // else ours tells what is wrong
		if t, source := choose(m, templates, own); source != SourceProgram {
			return r.words(m, t), nil
		}
	}
	return r.render(m)
}

// Source tells whose words a mail has.
type Source string

// The sources.
const (
	SourceTemplate  Source = "template"  // the operator's template
	SourceConnector Source = "connector" // the connector's own
	SourceProgram   Source = "program"   // ours
)

// SourceOf tells whose words the mail for a usage and a language has: with the operator's
// templates, and through a connector with templates of its own. The template is that one;
// none with [SourceProgram].
func SourceOf(usage store.Usage, locale string, templates, own []store.MailTemplate) (store.MailTemplate, Source) {
	return choose(sample(usage, locale), templates, own)
}

func choose(m store.Message, templates, own []store.MailTemplate) (store.MailTemplate, Source) {
	if t, ok := operatorsOwn(templates, m); ok {
		return t, SourceTemplate
	}
	if t, ok := sendersOwn(own, m); ok {
		return t, SourceConnector
	}
	return store.MailTemplate{}, SourceProgram
}

// operatorsOwn finds the operator's template for a message: in its language, by the tag
// and then ever shorter ones. A language that we have no mail in either gets
// the one in English.
func operatorsOwn(templates []store.MailTemplate, m store.Message) (store.MailTemplate, bool) {
	for _, usage := range usages(m.Usage) {
		find := func(locale string) int {
			return slices.IndexFunc(templates, func(t store.MailTemplate) bool { return t.Usage == usage && strings.EqualFold(t.Locale, locale) })
		}
		for tag := m.Locale; tag != ""; tag = shorter(tag) {
			if i := find(tag); i >= 0 {
				return templates[i], true
			}
		}
		lang, _ := match(catalogues, m.Locale) // "zh-SG" reads "zh-CN", and so on
		if i := find(lang); i >= 0 {
			return templates[i], true
		}
	}
	return store.MailTemplate{}, false
}

// sendersOwn finds a sender's own template for a message: one for its usage, and for one
// with a code the Generic one, as in Logto. They are for all languages.
func sendersOwn(own []store.MailTemplate, m store.Message) (store.MailTemplate, bool) {
	for _, usage := range append(usages(m.Usage), store.UsageGeneric) {
		if usage == store.UsageGeneric && m.Code == "" {
			break
		}
		if i := slices.IndexFunc(own, func(t store.MailTemplate) bool { return t.Usage == usage }); i >= 0 {
			return own[i], true
		}
	}
	return store.MailTemplate{}, false
}

// usages are where the words of a usage are looked for: its own, and if we have none for
// it either, those of Generic.
func usages(u store.Usage) []store.Usage {
	if w := worded(u); w != u {
		return []store.Usage{u, w}
	}
	return []store.Usage{u}
}
