package email

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

// jsonTemplate is a template as JSON has it here: as in the configuration of a Logto connector, with
// the language.
type jsonTemplate struct {
	UsageType   string `json:"usageType"`
	Locale      string `json:"locale,omitempty"`
	Subject     string `json:"subject"`
	Content     string `json:"content"`
	ContentType string `json:"contentType,omitempty"`
	ReplyTo     string `json:"replyTo,omitempty"`
	SendFrom    string `json:"sendFrom,omitempty"`
}

// localeOfLogto is the language of templates that name none, as those of Logto's connectors do: it
// is what readers get whose language has no mail at all.
const localeOfLogto = "en"

type templatesJSONView struct {
	shell.Frame
	shell.Form
	Tabs      []shell.Tab
	Variables []variable
}

// templatesJSON is GET /email/templates/json.
func (p *Pages) templatesJSON(v *shell.Visit) error {
	text, err := p.ownTemplates(v)
	if err != nil {
		return err
	}
	form := shell.NewForm(url.Values{"templates": {text}}, noTime)
	form.Version = fingerprint(text)
	return p.showJSON(v, http.StatusOK, form)
}

// fingerprint is the version of all templates together.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// ownTemplates writes all templates of the operator as JSON.
func (p *Pages) ownTemplates(v *shell.Visit) (string, error) {
	all, err := p.admin.MailTemplates(v.R.Context(), "", "")
	if err != nil {
		return "", err
	}
	list := []jsonTemplate{}
	for _, t := range all {
		list = append(list, jsonTemplate{string(t.Usage), t.Locale, t.Subject, t.Content, t.ContentType, t.ReplyTo, t.SendFrom})
	}
	return shell.PrettyJSON(list), nil
}

func (p *Pages) showJSON(v *shell.Visit, status int, form shell.Form) error {
	return v.Show(status, p.set, "templatesjson", &templatesJSONView{v.Frame(shell.Email), form, tabs(v, true), variables(v)})
}

// saveJSON is POST /email/templates/json. Templates that are not in the list stay.
func (p *Pages) saveJSON(v *shell.Visit) error {
	form := v.Typed()
	var list []jsonTemplate
	if wrong := v.ReadJSON(v.Form.Get("templates"), &list); wrong != "" {
		form.Reject("templates", wrong)
		return p.showJSON(v, http.StatusUnprocessableEntity, form)
	}
	var templates []store.MailTemplate
	var wrong []string
	for i, one := range list {
		t := store.MailTemplate{Usage: store.Usage(one.UsageType), Locale: one.Locale, Subject: one.Subject, Content: one.Content, ContentType: one.ContentType,
			ReplyTo: one.ReplyTo, SendFrom: one.SendFrom}
		if t.Locale == "" {
			t.Locale = localeOfLogto
		}
		d, err := p.admin.DraftMailTemplate(t)
		if err != nil {
			return err
		}
		for _, e := range d.Errors {
			wrong = append(wrong, v.T("Template %d (%s): %s", i+1, strconv.Quote(one.UsageType+" "+t.Locale), shell.Sentence(v.T(e.Error()))))
		}
		templates = append(templates, t)
	}
	if len(wrong) > 0 {
		form.Reject("templates", strings.Join(wrong, "\n"))
		return p.showJSON(v, http.StatusUnprocessableEntity, form)
	}
	now, err := p.ownTemplates(v)
	if err != nil {
		return err
	}
	if version := fingerprint(now); version != form.Version {
		form.Stale, form.Version = true, version
		form.Conflict = []shell.Difference{{Label: "JSON", Theirs: now, Yours: v.Form.Get("templates")}}
		return p.showJSON(v, http.StatusConflict, form)
	}
	stored, err := p.admin.SetMailTemplates(v.R.Context(), v.By, templates)
	if err != nil {
		if form.Take(v, err, map[string]string{"templates": "templates"}) {
			return p.showJSON(v, http.StatusUnprocessableEntity, form)
		}
		return err
	}
	return v.Done(allTemplates, v.T("Saved %d templates.", len(stored)))
}
