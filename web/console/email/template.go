package email

import (
	"net/http"
	"net/url"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

type templateView struct {
	shell.Frame
	shell.Form
	mailName
	Usage, Locale, Tongue string
	Path                  string
	Own                   bool // it has words of the operator's
	FromConnector         bool // else it has the connector's
	Other                 *otherWords
	Types                 []shell.Option
	Variables             []variable
	Warnings              []string
	Draft                 bool // what stands there is not saved
	Test                  *tested
	Confirm, Unconfirmed  string // of going back: what is to be typed, and that it was not
}

// VersionField is for the part "danger".
func (t *templateView) VersionField() map[string]string { return versionField(t.Form) }

// otherWords is the template whose words a mail has, where it is that of another language or mail.
type otherWords struct{ Name, Href string }

var noTime time.Time

// template is GET /email/templates/{usage}/{locale}.
func (p *Pages) template(v *shell.Visit) error {
	w, err := p.wording(v)
	if err != nil {
		return err
	}
	form, err := p.templateForm(w)
	if err != nil {
		return err
	}
	return p.showTemplate(v, http.StatusOK, w, form, func(*templateView) {})
}

// wording is the mail that a page is for. The error is [store.NotFound].
func (p *Pages) wording(v *shell.Visit) (admin.Wording, error) {
	usage, locale := store.Usage(v.Param("usage")), v.Param("locale")
	d, err := p.admin.DraftMailTemplate(store.MailTemplate{Usage: usage, Locale: locale})
	if err != nil {
		return admin.Wording{}, err
	}
	for _, wrong := range d.Errors {
		if wrong.Field == "usage" || wrong.Field == "locale" {
			return admin.Wording{}, &store.Error{Code: store.NotFound, Op: "read mail", Err: wrong}
		}
	}
	return p.admin.Wording(v.R.Context(), usage, locale)
}

// templateForm is what stands there to begin with: what the mail says now.
func (p *Pages) templateForm(w admin.Wording) (shell.Form, error) {
	t, err := p.wordsOf(w)
	if err != nil {
		return shell.Form{}, err
	}
	version := noTime
	if w.Own() {
		version = t.UpdatedAt
	}
	return shell.NewForm(templateValues(t), version), nil
}

// wordsOf is what a mail says, as a template.
func (p *Pages) wordsOf(w admin.Wording) (store.MailTemplate, error) {
	if w.Source == admin.WordsOfProgram {
		return p.admin.MailStarter(w.Usage, w.Locale)
	}
	return w.Template, nil
}

func templateValues(t store.MailTemplate) url.Values {
	return url.Values{"subject": {t.Subject}, "content": {t.Content}, "contentType": {t.ContentType}, "replyTo": {t.ReplyTo}, "sendFrom": {t.SendFrom}}
}

// drafted is the template that was sent.
func drafted(v *shell.Visit, w admin.Wording) store.MailTemplate {
	t := store.MailTemplate{Usage: w.Usage, Locale: w.Locale}
	wordTemplate(v, &t)
	return t
}

func wordTemplate(v *shell.Visit, t *store.MailTemplate) {
	t.Subject, t.Content, t.ContentType, t.ReplyTo, t.SendFrom = v.Got("subject"), v.Form.Get("content"), v.Got("contentType"), v.Got("replyTo"), v.Got("sendFrom")
}

// changeTemplate is POST /email/templates/{usage}/{locale}.
func (p *Pages) changeTemplate(v *shell.Visit) error {
	w, err := p.wording(v)
	if err != nil {
		return err
	}
	form := v.Typed()
	draft, err := p.admin.DraftMailTemplate(drafted(v, w))
	if err != nil {
		return err
	}
	for _, wrong := range draft.Errors {
		reason := shell.Sentence(v.T(wrong.Error()))
		if before := form.Error(wrong.Field); before != "" {
			reason = before + "\n" + reason
		}
		form.Reject(wrong.Field, reason)
	}
	var test *tested
	switch {
	case len(draft.Errors) > 0:
	case v.Form.Get("do") == "test":
		test, err = p.testTemplate(v, &form, drafted(v, w))
	default:
		done, err := p.saveTemplate(v, w, &form)
		if done || err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return p.showTemplate(v, form.Status(), w, form, func(view *templateView) {
		view.Draft, view.Warnings, view.Test = true, draft.Warnings, test
	})
}

func (p *Pages) testTemplate(v *shell.Visit, form *shell.Form, t store.MailTemplate) (*tested, error) {
	to, ok := recipient(v, form)
	if !ok {
		return nil, nil //nolint:nilnil // the form says why there is none
	}
	sent, err := p.admin.TestTemplate(v.R.Context(), v.By, to, t)
	if store.CodeOf(err) == store.NotFound {
		form.Reject("to", v.T("No connector is set up: there is nothing that it could go through."))
		return nil, nil //nolint:nilnil // the form says why there is none
	}
	out := &tested{Sent: err == nil, To: string(to), From: sent.From, Subject: sent.Subject, Provider: sent.Provider, Milliseconds: sent.Took.Milliseconds()}
	if !sent.ID.IsZero() {
		out.Delivery = shell.Path + "/deliveries/" + sent.ID.String()
	}
	return out.refused(v, form, err, func(err error) bool {
		return form.Take(v, err, map[string]string{"config": "to", "details": "content"})
	})
}

// saveTemplate saves what was typed; true if the answer was given.
func (p *Pages) saveTemplate(v *shell.Visit, w admin.Wording, form *shell.Form) (bool, error) {
	ctx := v.R.Context()
	var err error
	switch {
	case !w.Own() && form.Version != "":
		form.Version, form.Wrong = "", v.T("Somebody else has gone back to the built-in mail while you were editing. Save again to use these words all the same.")
		return false, nil
	case form.Version == "":
		_, err = p.admin.AddMailTemplate(ctx, v.By, drafted(v, w))
	default:
		_, err = p.admin.UpdateMailTemplate(ctx, v.By, w.Template.ID, form.Seen(), func(t *store.MailTemplate) { wordTemplate(v, t) })
	}
	if store.CodeOf(err) == store.Changed {
		now, err := p.admin.Wording(ctx, w.Usage, w.Locale)
		if err != nil {
			return false, err
		}
		form.Changed(templateValues(now.Template), now.Template.UpdatedAt, [2]string{"subject", v.T("Subject")}, [2]string{"content", v.T("Content")},
			[2]string{"contentType", v.T("Kind")}, [2]string{"replyTo", v.T("Answers go to")}, [2]string{"sendFrom", v.T("Sender")})
		return false, nil
	}
	if err != nil {
		return false, takeOr(form.Take(v, err, map[string]string{"details": "content"}), err)
	}
	return true, v.Done(templatePath(w.Usage, w.Locale), v.T("Saved. The next mail says this."))
}

func takeOr(taken bool, err error) error {
	if taken {
		return nil
	}
	return err
}

func (p *Pages) showTemplate(v *shell.Visit, status int, w admin.Wording, form shell.Form, more func(*templateView)) error {
	name := mailNames[w.Usage]
	view := &templateView{Frame: v.Frame(shell.Email), Form: form, mailName: mailName{v.T(name.Name), v.T(name.When)}, Usage: string(w.Usage), Locale: w.Locale,
		Tongue: p.tongue(w.Locale), Path: templatePath(w.Usage, w.Locale), Own: w.Own(), FromConnector: w.Source == admin.WordsOfConnector,
		Types:     []shell.Option{{Value: "text/html", Name: v.T("HTML")}, {Value: "text/plain", Name: v.T("Plain text")}},
		Variables: variables(v), Confirm: string(w.Usage) + " " + w.Locale}
	if w.Source == admin.WordsOfTemplate && !w.Own() {
		view.Other = &otherWords{v.T(mailNames[w.Template.Usage].Name) + ", " + p.tongue(w.Template.Locale), templatePath(w.Template.Usage, w.Template.Locale)}
	}
	if !view.Values.Has("to") {
		view.Values.Set("to", view.Email)
	}
	if w.Own() {
		d, err := p.admin.DraftMailTemplate(w.Template)
		if err != nil {
			return err
		}
		view.Warnings = d.Warnings
	}
	more(view)
	return v.Show(status, p.set, "template", view)
}

// resetTemplate is POST /email/templates/{usage}/{locale}/reset.
func (p *Pages) resetTemplate(v *shell.Visit) error {
	w, err := p.wording(v)
	if err != nil {
		return err
	}
	if !w.Own() {
		return &store.Error{Code: store.NotFound, Op: "reset mail"}
	}
	if !v.Confirmed(string(w.Usage) + " " + w.Locale) {
		form, err := p.templateForm(w)
		if err != nil {
			return err
		}
		return p.showTemplate(v, http.StatusUnprocessableEntity, w, form, func(view *templateView) {
			view.Unconfirmed = v.T("This is not its name. Nothing was deleted.")
		})
	}
	if err := p.admin.DeleteMailTemplate(v.R.Context(), v.By, w.Template.ID, v.Typed().Seen()); err != nil {
		return err
	}
	return v.Done(templatePath(w.Usage, w.Locale), v.T("This mail is the built-in one again."))
}
