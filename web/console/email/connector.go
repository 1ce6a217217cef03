package email

import (
	"net/http"
	"net/url"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

type connectorView struct {
	shell.Frame
	shell.Form
	Factory  admin.Factory
	Intro    string
	Path     string
	JSON     bool
	Changed  bool // what stands there is not saved
	Saved    bool
	State    *row
	Address  string
	Inputs   []input
	More     []input // that most do without
	Open     bool    // there is something in these
	Warnings []string
	Feedback string // where Amazon SES tells of bounces to
	Mails    []shell.Option
	Tongues  []shell.Option
	Test     *tested
	Findings []admin.Finding
	Delete   deletion
}

// deletion is what the part "danger" says.
type deletion struct{ Text, Wrong string }

// VersionField is for the part "danger".
func (c *connectorView) VersionField() map[string]string { return versionField(c.Form) }

// connector is GET /email/connectors/{id}.
func (p *Pages) connector(v *shell.Visit) error {
	f, saved, err := p.find(v)
	if err != nil {
		return err
	}
	config := map[string]any{}
	form := shell.NewForm(url.Values{}, saved.UpdatedAt)
	if saved.ID != "" {
		config = saved.Config
	}
	asJSON := v.Form.Get("view") == viewJSON || len(f.Form) == 0 && f.ID != "inbox"
	fill(&form, f, config, asJSON)
	view, err := p.view(v, f, saved, form, asJSON)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "connector", view)
}

// find is the kind of connector that a page is for, and the one that is set up, if it is.
func (p *Pages) find(v *shell.Visit) (admin.Factory, admin.Connector, error) {
	id := v.Param("id")
	f, unknown := p.admin.Factory(id)
	if unknown != nil {
		f = admin.Factory{ID: id, Name: id}
	}
	saved, err := p.admin.Connector(v.R.Context(), f.ID)
	if store.CodeOf(err) == store.NotFound {
		return f, admin.Connector{}, unknown
	}
	return f, saved, err
}

// fill puts a configuration into the fields of a view.
func fill(form *shell.Form, f admin.Factory, config map[string]any, asJSON bool) {
	values := url.Values{"config": {shell.PrettyJSON(config)}}
	if !asJSON {
		values = formValues(inputs(f, isWholeAuth(config)), config)
	}
	for _, name := range []string{"to", "usage", "locale"} { // of the test
		if form.Values.Has(name) {
			values.Set(name, form.Value(name))
		}
	}
	form.Values = values
}

func (p *Pages) view(v *shell.Visit, f admin.Factory, saved admin.Connector, form shell.Form, asJSON bool) (*connectorView, error) {
	view := &connectorView{Frame: v.Frame(shell.Email), Form: form, Factory: f, Intro: v.T(f.Description), Path: allConnectors + "/" + url.PathEscape(f.ID), JSON: asJSON,
		Saved: saved.ID != "", Address: saved.Address, Warnings: saved.Warnings, Feedback: p.shell.Endpoint.JoinPath("/hooks/ses").String(),
		Mails: p.mails(v), Tongues: p.tongues()}
	if !view.Values.Has("to") {
		view.Values.Set("to", view.Email)
	}
	if !view.Values.Has("usage") {
		view.Values.Set("usage", string(store.UsageGeneric))
	}
	if !view.Values.Has("locale") {
		view.Values.Set("locale", v.Lang.Tag)
	}
	for _, i := range inputs(f, form.Values.Has("c.auth")) {
		i.Label, i.Help = v.T(i.Label), v.T(i.Help)
		if !i.More {
			view.Inputs = append(view.Inputs, i)
			continue
		}
		view.More = append(view.More, i)
		view.Open = view.Open || form.Value(i.Name) != "" || form.Error(i.Name) != ""
	}
	if !view.Saved {
		return view, nil
	}
	states, _, err := p.admin.ConnectorStates(v.R.Context())
	if err != nil {
		return nil, err
	}
	view.Delete.Text = v.T("Mails go through the other connectors then. Its settings and secrets are gone.")
	if len(states) == 1 {
		view.Delete.Text = v.T("This is the only connector: without it no mail goes out. Codes wait in the queue and expire, and nobody can sign in with one.")
	}
	for _, s := range states {
		if s.ID == f.ID {
			r := p.row(v, s)
			view.State = &r
		}
	}
	return view, nil
}

// changeConnector is POST /email/connectors/{id}: what it does is in the field "do".
func (p *Pages) changeConnector(v *shell.Visit) error {
	f, saved, err := p.find(v)
	if err != nil {
		return err
	}
	form := v.Typed()
	asJSON := v.Form.Get("view") == viewJSON
	config, ok := typed(v, inputs(f, v.Form.Has("c.auth")), &form)
	do := v.Form.Get("do")
	if ok && do != viewForm && do != viewJSON && do != "test" && do != "check" {
		done, err := p.save(v, f, saved, &form, config, asJSON)
		if done || err != nil {
			return err
		}
	}
	if ok && (do == viewForm || do == viewJSON) {
		asJSON = do == viewJSON
		fill(&form, f, config, asJSON)
	}
	var test *tested
	var found []admin.Finding
	switch {
	case ok && do == "test":
		test, err = p.test(v, f, &form, config, asJSON)
	case ok && do == "check":
		if found, err = p.admin.CheckConnector(v.R.Context(), f.ID, config); err != nil && takeConfig(v, &form, err, asJSON) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	view, err := p.view(v, f, saved, form, asJSON)
	if err != nil {
		return err
	}
	view.Changed, view.Test, view.Findings = true, test, found
	if config != nil {
		view.Warnings = admin.ConfigWarnings(config)
	}
	return v.Show(form.Status(), p.set, "connector", view)
}

// deleteConnector is POST /email/connectors/{id}/delete.
func (p *Pages) deleteConnector(v *shell.Visit) error {
	f, saved, err := p.find(v)
	if err != nil {
		return err
	}
	if saved.ID == "" {
		return &store.Error{Code: store.NotFound, Op: "delete connector"}
	}
	if !v.Confirmed(f.Name) {
		form := shell.NewForm(url.Values{}, saved.UpdatedAt)
		fill(&form, f, saved.Config, false)
		view, err := p.view(v, f, saved, form, false)
		if err != nil {
			return err
		}
		view.Delete.Wrong = v.T("This is not its name. Nothing was deleted.")
		return v.Show(http.StatusUnprocessableEntity, p.set, "connector", view)
	}
	if err := p.admin.DeleteConnector(v.R.Context(), v.By, f.ID, v.Typed().Seen()); err != nil {
		return err
	}
	return v.Done(here, v.T("Deleted %s.", f.Name))
}
