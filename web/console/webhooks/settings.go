package webhooks

import (
	"net/http"
	"net/url"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

type newView struct {
	shell.Frame
	shell.Form
	Groups []group
}

// blank is GET /console/webhooks/new.
func (p *Pages) blank(v *shell.Visit) error {
	return p.askNew(v, http.StatusOK, shell.NewForm(url.Values{}, time.Time{}))
}

func (p *Pages) askNew(v *shell.Visit, status int, f shell.Form) error {
	return v.Show(status, p.set, "new", newView{v.Frame(shell.Webhooks), f, grouped(v)})
}

// keyView shows a signing key, once.
type keyView struct {
	shell.Frame
	Title, Path, Key string
	New              bool // the webhook, and not only its key
}

func (p *Pages) showKey(v *shell.Visit, h admin.Hook, isNew bool) error {
	v.W.Header().Set("Cache-Control", "no-store")
	return v.Show(http.StatusOK, p.set, "key", keyView{v.Frame(shell.Webhooks), titleOf(h), path(h.ID, ""), h.SigningKey, isNew})
}

// create is POST /console/webhooks/new.
func (p *Pages) create(v *shell.Visit) error {
	f := v.Typed()
	form := readForm(v, &f)
	form.Enabled = true
	if !f.IsWrong() {
		err := v.Once(func() (string, error) {
			h, err := p.admin.CreateHook(v.R.Context(), v.By, form, "")
			if err != nil {
				return "", err
			}
			return path(h.ID, ""), p.showKey(v, h, true)
		})
		if err == nil {
			return nil
		}
		if !take(v, &f, form, err) {
			return err
		}
	}
	return p.askNew(v, http.StatusUnprocessableEntity, f)
}

type settingsView struct {
	shell.Frame
	shell.Form
	head

	Groups     []group
	Confirm    string            // what is wrong with the name that was typed to delete it
	ConfirmKey string            // and for another signing key
	OnceFields map[string]string // of the form for another signing key
	CreatedAt  time.Time
}

// show is GET /console/webhooks/ID.
func (p *Pages) show(v *shell.Visit) error {
	h, err := p.admin.Hook(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	return p.showSettings(v, http.StatusOK, h, shell.NewForm(typed(h.HookForm), h.UpdatedAt), "", "")
}

func (p *Pages) showSettings(v *shell.Visit, status int, h admin.Hook, f shell.Form, confirm, confirmKey string) error {
	head, err := p.headOf(v, h, "", glanced)
	if err != nil {
		return err
	}
	return v.Show(status, p.set, "settings", settingsView{
		Frame: v.Frame(shell.Webhooks), Form: f, head: head, Groups: grouped(v), Confirm: confirm, ConfirmKey: confirmKey,
		OnceFields: map[string]string{"once": f.Once}, CreatedAt: h.CreatedAt,
	})
}

// save is POST /console/webhooks/ID.
func (p *Pages) save(v *shell.Visit) error {
	id, f := v.Param("id"), v.Typed()
	form := readForm(v, &f)
	var err error
	if !f.IsWrong() {
		_, err = p.admin.UpdateHook(v.R.Context(), v.By, id, f.Seen(), func(h *admin.HookForm) error {
			form.Enabled = h.Enabled
			*h = form
			return nil
		})
		if err == nil {
			return v.Done(path(id, ""), v.T("Saved."))
		}
	}
	now, gone := p.admin.Hook(v.R.Context(), id)
	switch {
	case gone != nil:
		return gone
	case store.CodeOf(err) == store.Changed:
		f.Changed(typed(now.HookForm), now.UpdatedAt, labels(v)...)
	case err != nil && !take(v, &f, form, err):
		return err
	}
	return p.showSettings(v, f.Status(), now, f, "", "")
}

// turn is POST /console/webhooks/ID/enabled.
func (p *Pages) turn(v *shell.Visit) error {
	id, on := v.Param("id"), v.Got("on") == "1"
	_, err := p.admin.UpdateHook(v.R.Context(), v.By, id, time.Time{}, func(h *admin.HookForm) error {
		h.Enabled = on
		return nil
	})
	switch {
	case err != nil:
		return err
	case on:
		return v.Done(path(id, ""), v.T("Turned on. What has waited is posted now."))
	}
	return v.Done(path(id, ""), v.T("Turned off. What happens now waits for 48 hours, in case it is turned on again."))
}

// rotate is POST /console/webhooks/ID/key.
func (p *Pages) rotate(v *shell.Visit) error {
	h, err := p.admin.Hook(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	if !v.Confirmed(titleOf(h)) {
		f := shell.NewForm(typed(h.HookForm), h.UpdatedAt)
		return p.showSettings(v, http.StatusUnprocessableEntity, h, f, "", v.T("That is not its name: the key stays as it is."))
	}
	return v.Once(func() (string, error) {
		h, err := p.admin.RotateHookKey(v.R.Context(), v.By, h.ID, time.Time{})
		if err != nil {
			return "", err
		}
		return path(h.ID, ""), p.showKey(v, h, false)
	})
}

// remove is POST /console/webhooks/ID/delete.
func (p *Pages) remove(v *shell.Visit) error {
	h, err := p.admin.Hook(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	if !v.Confirmed(titleOf(h)) {
		f := shell.NewForm(typed(h.HookForm), h.UpdatedAt)
		return p.showSettings(v, http.StatusUnprocessableEntity, h, f, v.T("That is not its name: nothing was deleted."), "")
	}
	if err := p.admin.DeleteHook(v.R.Context(), v.By, h.ID, time.Time{}); err != nil {
		return err
	}
	return v.Done(root, v.T("Deleted %s.", titleOf(h)))
}
