package email

import (
	"errors"
	"net/url"
	"strings"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

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
