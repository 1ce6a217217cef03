package mailer

import (
	html "html/template"
	"strings"

	"idp/store"
)

// The types of a template's content.
const (
	typeHTML  = "text/html"
	typePlain = "text/plain"
)

// maxTemplates bounds the memory of the templates that were cut.
const maxTemplates = 200

// wording is a template, cut at its variables.
type wording struct{ subject, text, html []gap }

// words fills a template.
func (r *renderer) words(m store.Message, t store.MailTemplate) Rendered {
	w := r.wording(t)
	v := values(m)
	asIs := func(s string) string { return s }
	out := Rendered{From: v["application.name"], To: string(m.To), Usage: m.Usage, Code: m.Code, Locale: t.Locale,
		ReplyTo: t.ReplyTo, Sender: t.SendFrom,
		Subject: clean(fillGaps(w.subject, v, asIs), maxSubject), Text: fillGaps(w.text, v, asIs)}
	if out.Locale == "" {
		out.Locale = m.Locale
	}
	if w.html != nil {
		out.HTML = fillGaps(w.html, v, html.HTMLEscapeString)
	}
	return out
}

// wording keeps what was cut, by the words themselves: a connector's own templates
// have no id.
func (r *renderer) wording(t store.MailTemplate) wording {
	k := [...]string{t.ContentType, t.Subject, t.Content}
	r.mu.Lock()
	w, ok := r.wordings[k]
	r.mu.Unlock()
	if ok {
		return w
	}
	w = wording{subject: gaps(t.Subject)}
	if isPlain(t) {
		w.text = gaps(strings.ReplaceAll(t.Content, "\r\n", "\n"))
	} else {
		w.html, w.text = gaps(t.Content), gaps(plainText(t.Content))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wordings == nil || len(r.wordings) >= maxTemplates {
		r.wordings = map[[3]string]wording{}
	}
	r.wordings[k] = w
	return w
}

func isPlain(t store.MailTemplate) bool { return t.ContentType == typePlain }
