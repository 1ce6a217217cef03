package email

import (
	_ "embed"
	"html/template"
	"net/http"
	"regexp"

	"idp/admin"
	"idp/web/console/shell"
)

// previewPage is around a mail: what a mailbox shows above it, and what is wrong with it. It is none
// of the console's pages: it stands in a frame of one.
//
//go:embed preview.html
var previewSource string

var previewPage = template.Must(template.New("preview").Parse(previewSource))

type previewView struct {
	Lang, Dir             string
	Dark, IsText          bool
	From, Subject, Answer string
	SubjectLabel          string
	HTML, Text            string
	Errors, Warnings      []string
	Nothing               string
}

// preview is GET /email/templates/{usage}/{locale}/preview: what stands in the form to begin with.
func (p *Pages) preview(v *shell.Visit) error {
	w, err := p.wording(v)
	if err != nil {
		return err
	}
	t, err := p.wordsOf(w)
	if err != nil {
		return err
	}
	t.Usage, t.Locale = w.Usage, w.Locale
	draft, err := p.admin.DraftMailTemplate(t)
	if err != nil {
		return err
	}
	draft.Errors, draft.Warnings = nil, nil // there is nothing that this person has typed
	return p.writePreview(v, draft)
}

// previewDraft is POST of the same: the mail as it is typed.
func (p *Pages) previewDraft(v *shell.Visit) error {
	w, err := p.wording(v)
	if err != nil {
		return err
	}
	draft, err := p.admin.DraftMailTemplate(drafted(v, w))
	if err != nil {
		return err
	}
	return p.writePreview(v, draft)
}

// writePreview answers with a page that runs nothing and reaches nothing, for a frame of ours.
func (p *Pages) writePreview(v *shell.Visit, d admin.Draft) error {
	view := previewView{Lang: v.Lang.Tag, Dir: v.Lang.Dir, Dark: v.Form.Get("scheme") == "dark", IsText: v.Form.Get("part") == "text" || d.HTML == "",
		From: d.From, Subject: d.Subject, Answer: d.ReplyTo, SubjectLabel: v.T("Subject"), Text: d.Text, Warnings: d.Warnings}
	view.HTML = inScheme(d.HTML, view.Dark)
	for _, wrong := range d.Errors {
		view.Errors = append(view.Errors, shell.Sentence(v.T(wrong.Error())))
	}
	if d.Text == "" && d.HTML == "" {
		view.Nothing = v.T("There is nothing to show yet.")
	}
	h := v.W.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Type", "text/html; charset=utf-8")
	v.W.WriteHeader(http.StatusOK)
	_ = previewPage.Execute(v.W, view) // the visitor may be gone
	return nil
}

var (
	prefers = regexp.MustCompile(`\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)`)
	schemes = regexp.MustCompile(`(color-schemes?["']?(?:\s+content=["']|\s*:\s*))light dark`)
)

// inScheme shows a mail as it is in a mail program that is light, or dark, whatever the browser
// is: its rules for that hold always, and those for the other never.
func inScheme(html string, dark bool) string {
	want := map[bool]string{true: "dark", false: "light"}[dark]
	html = prefers.ReplaceAllStringFunc(html, func(query string) string {
		if prefers.FindStringSubmatch(query)[1] == want {
			return "(min-width: 0)"
		}
		return "(max-width: 0)"
	})
	return schemes.ReplaceAllString(html, "${1}"+want)
}
