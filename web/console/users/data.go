package users

import (
	"net/http"
	"net/url"

	"idp/store"
	"idp/web/console/shell"
)

type dataView struct {
	shell.Frame
	shell.Form
	head
}

// editable is custom data as it stands in the editor.
func editable(u store.User) url.Values {
	if len(u.CustomData) == 0 {
		return url.Values{"customData": {"{}"}}
	}
	return url.Values{"customData": {shell.PrettyJSON(u.CustomData)}}
}

// data is GET /console/users/ID/data.
func (p *Pages) data(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	return p.showData(v, http.StatusOK, u, shell.NewForm(editable(u), u.UpdatedAt))
}

func (p *Pages) showData(v *shell.Visit, status int, u store.User, f shell.Form) error {
	return v.Show(status, p.set, "data", &dataView{v.Frame(shell.Users), f, headOf(v, u, "/data")})
}

// saveData is POST /console/users/ID/data.
func (p *Pages) saveData(v *shell.Visit) error {
	id, f := v.Param("id"), v.Typed()
	now, err := p.of(v)
	if err != nil {
		return err
	}
	text, wrong := v.CustomData(v.Got("customData"))
	if wrong != "" {
		f.Reject("customData", wrong)
		return p.showData(v, f.Status(), now, f)
	}
	_, err = p.admin.UpdateUser(v.R.Context(), v.By, id, f.Seen(), func(u *store.User) error {
		u.CustomData = text
		return nil
	})
	switch {
	case err == nil:
		return v.Done(path(id, "/data"), v.T("Saved."))
	case store.CodeOf(err) == store.Changed:
		if now, err = p.of(v); err != nil {
			return err
		}
		f.Changed(editable(now), now.UpdatedAt, [2]string{"customData", v.T("Custom data")})
	case !f.Take(v, err):
		return err
	}
	return p.showData(v, f.Status(), now, f)
}
