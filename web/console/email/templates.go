package email

import (
	"net/http"
	"net/url"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

type templatesView struct {
	shell.Frame
	shell.Form
	Tabs     []shell.Tab
	Tongues  []language
	Rows     []templateRow
	Own      int // that the operator has worded
	FromConn bool
	Mails    []shell.Option
}

// language is a column.
type language struct{ Tag, Name string }

// templateRow is a kind of mail in all languages.
type templateRow struct {
	Usage string
	mailName
	Cells []cell
}

// cell is one mail in one language.
type cell struct {
	Href, Label string
	Source      admin.WordingSource
	Own         bool
}

// templates is GET /email/templates; with a mail and a language in the query, where "Word another
// language" leads, it goes on to that template.
func (p *Pages) templates(v *shell.Visit) error {
	form := shell.NewForm(v.Form, noTime)
	if usage, locale := v.Got("usage"), v.Got("locale"); usage != "" && locale != "" {
		d, err := p.admin.DraftMailTemplate(store.MailTemplate{Usage: store.Usage(usage), Locale: locale})
		if err != nil {
			return err
		}
		for _, wrong := range d.Errors {
			if wrong.Field == "usage" || wrong.Field == "locale" {
				form.Reject(wrong.Field, shell.Sentence(v.T(wrong.Error())))
			}
		}
		if len(form.Errors) == 0 {
			return v.Done(templatePath(store.Usage(usage), locale), "")
		}
	}
	all, err := p.admin.Wordings(v.R.Context())
	if err != nil {
		return err
	}
	view := templatesView{Frame: v.Frame(shell.Email), Form: form, Tabs: tabs(v, true), Mails: p.mails(v)}
	for _, w := range all {
		if len(view.Rows) == 0 || view.Rows[len(view.Rows)-1].Usage != string(w.Usage) {
			name := mailNames[w.Usage]
			view.Rows = append(view.Rows, templateRow{Usage: string(w.Usage), mailName: mailName{v.T(name.Name), v.T(name.When)}})
		}
		if len(view.Rows) == 1 {
			view.Tongues = append(view.Tongues, language{w.Locale, p.tongue(w.Locale)})
		}
		row := &view.Rows[len(view.Rows)-1]
		row.Cells = append(row.Cells, cell{templatePath(w.Usage, w.Locale), row.Name + ", " + p.tongue(w.Locale), w.Source, w.Own()})
		if w.Own() {
			view.Own++
		}
		view.FromConn = view.FromConn || w.Source == admin.WordsOfConnector
	}
	status := http.StatusOK
	if form.IsWrong() {
		status = http.StatusUnprocessableEntity
	}
	return v.Show(status, p.set, "templates", &view)
}

func templatePath(u store.Usage, locale string) string {
	return allTemplates + "/" + url.PathEscape(string(u)) + "/" + url.PathEscape(locale)
}
