package email

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

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

// save saves what was typed; true if the answer was given.
func (p *Pages) save(v *shell.Visit, f admin.Factory, saved admin.Connector, form *shell.Form, config map[string]any, asJSON bool) (bool, error) {
	ctx := v.R.Context()
	var err error
	switch {
	case saved.ID == "" && form.Version != "":
		form.Version, form.Wrong = "", v.T("Somebody else has deleted this connector while you were editing. Write the secrets again and save, to set it up anew.")
		return false, nil
	case form.Version == "": // it was not there
		err = v.Once(func() (string, error) {
			if saved.ID != "" {
				return "", &store.Error{Code: store.Changed, Op: "set up connector"}
			}
			if _, err := p.admin.SetConnector(ctx, v.By, f.ID, config); err != nil {
				return "", err
			}
			return here, v.Done(here, v.T("%s is set up, and tried first.", f.Name))
		})
		if err == nil {
			return true, nil
		}
	default:
		if _, err = p.admin.UpdateConnector(ctx, v.By, f.ID, form.Seen(), config); err == nil {
			return true, v.Done(allConnectors+"/"+url.PathEscape(f.ID), v.T("Saved. Mails go out this way within seconds."))
		}
	}
	if store.CodeOf(err) == store.Changed {
		now, err := p.admin.Connector(ctx, f.ID)
		if err != nil {
			return false, err
		}
		changed(v, form, f, now, config, asJSON)
		if len(form.Conflict) > 0 {
			return false, nil
		}
		if same, err := p.admin.IsConnector(ctx, f.ID, config); err != nil || !same { // in what is not shown
			form.Conflict = []shell.Difference{{Label: v.T("Secrets"), Theirs: admin.Mask, Yours: admin.Mask}}
		}
		return false, nil
	}
	return false, takeOr(takeConfig(v, form, err, asJSON), err)
}

// changed shows what somebody else has made of the configuration meanwhile.
func changed(v *shell.Visit, form *shell.Form, f admin.Factory, now admin.Connector, config map[string]any, asJSON bool) {
	if asJSON {
		shown := *form // without the secrets that were typed
		shown.Values = url.Values{"config": {shell.PrettyJSON(admin.Masked(config))}}
		shown.Changed(url.Values{"config": {shell.PrettyJSON(now.Config)}}, now.UpdatedAt, [2]string{"config", "JSON"})
		form.Stale, form.Version, form.Conflict = shown.Stale, shown.Version, shown.Conflict
		return
	}
	fields := inputs(f, form.Values.Has("c.auth"))
	var labels [][2]string
	for _, i := range fields {
		if i.Secret {
			continue
		}
		labels = append(labels, [2]string{i.Name, v.T(i.Label)})
	}
	form.Changed(formValues(fields, now.Config), now.UpdatedAt, append(labels, [2]string{"config", v.T("Other settings")})...)
}

// takeConfig puts the reasons against a configuration beside the fields that they are about, and
// tells whether it did.
func takeConfig(v *shell.Visit, form *shell.Form, err error, asJSON bool) bool {
	var all *admin.ConfigErrors
	if !errors.As(err, &all) {
		return form.Take(v, err, masks(form, err, asJSON))
	}
	for _, one := range all.Fields {
		name := "c." + one.Field
		switch {
		case asJSON:
			name = "config"
		case one.Field == "auth" && !form.Values.Has("c.auth"):
			name = "c.auth.user"
		}
		reason := v.T(one.Reason)
		if rest, ok := strings.CutPrefix(reason, one.Field+" "); ok && !asJSON && one.Field != "" { // its label stands above
			reason = rest
		}
		reason = shell.Sentence(reason)
		if one.Field == "" && !asJSON {
			if form.Wrong != "" {
				reason = form.Wrong + "\n" + reason
			}
			form.Wrong = reason
			continue
		}
		if before := form.Error(name); before != "" {
			reason = before + "\n" + reason
		}
		form.Reject(name, reason)
	}
	return true
}

// masks says where the reason of another error stands: it names "config.KEY".
func masks(form *shell.Form, err error, asJSON bool) map[string]string {
	var field *store.FieldError
	if !errors.As(err, &field) {
		return nil
	}
	name := "config"
	if key := field.Field; !asJSON && len(key) > len("config.") {
		name = "c." + key[len("config."):]
		if name == "c.auth" && !form.Values.Has("c.auth") {
			name = "c.auth.pass"
		}
	}
	return map[string]string{field.Field: name}
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
