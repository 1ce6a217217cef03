package experience

import (
	"embed"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

//go:embed pages
var files embed.FS

// Previews shows pages of people with an experience that is not saved.
type Previews interface {
	Preview(w http.ResponseWriter, r *http.Request, shown page.Preview) error
	PreviewAccount(w http.ResponseWriter, shown page.Preview) error
}

// Pages is the area.
type Pages struct {
	shell    *shell.Shell
	admin    *admin.Service
	previews Previews
	set      *shell.Set
}

// New makes the area.
func New(s *shell.Shell, a *admin.Service, previews Previews) *Pages {
	return &Pages{s, a, previews, s.Load(files)}
}

const path = shell.Path + string(shell.Experience)

// Mount adds the routes.
func (p *Pages) Mount(r chi.Router) {
	for _, s := range sections {
		p.shell.Get(r, string(shell.Experience)+s.path, func(v *shell.Visit) error { return p.get(v, s) })
		p.shell.Post(r, string(shell.Experience)+s.path, store.RoleAdmin, func(v *shell.Visit) error { return p.save(v, s) })
	}
	p.shell.Get(r, string(shell.Experience)+previewPath, p.previewSaved)
	p.shell.Post(r, string(shell.Experience)+previewPath, store.RoleViewer, p.previewTyped)
}

type view struct {
	shell.Frame
	shell.Form
	Action, Section string
	Tabs            []shell.Tab
	Was             string // what the section was when the form was made
	Limits          admin.Frame
	Modes, Policies []shell.Option
	Tongues         []shell.Option
	preview
}

// CodeMinutes is how long the instance lets a code be good for at most.
func (v view) CodeMinutes() int { return int(v.Limits.CodeTTL / time.Minute) }

func (p *Pages) get(v *shell.Visit, s section) error {
	e, err := p.admin.Experience(v.R.Context())
	if err != nil {
		return err
	}
	return p.show(v, s, http.StatusOK, shell.NewForm(s.values(e), e.UpdatedAt), s.fingerprint(e))
}

func (p *Pages) show(v *shell.Visit, s section, status int, form shell.Form, was string) error {
	data := view{
		Frame: v.Frame(shell.Experience), Form: form, Action: path + s.path, Section: s.name, Was: was, Limits: p.admin.Frame(),
		Modes: modes(v), Policies: policies(v), Tongues: tongues(),
	}
	for _, other := range sections {
		data.Tabs = append(data.Tabs, shell.Tab{Name: v.T(other.title), Href: path + other.path, Current: other.name == s.name})
	}
	var err error
	if data.preview, err = p.previewOf(v, s, form); err != nil {
		return err
	}
	return v.Show(status, p.set, s.name, &data)
}

// save is the POST of a section.
func (p *Pages) save(v *shell.Visit, s section) error {
	form := v.Typed()
	s.tidy(form)
	if ok, err := p.upload(v, s, form); !ok {
		if err == nil {
			err = p.show(v, s, http.StatusUnprocessableEntity, form, v.Form.Get("was"))
		}
		return err
	}
	seen, was := form.Seen(), v.Form.Get("was")
	now, err := p.admin.Experience(v.R.Context())
	if err != nil {
		return err
	}
	if !seen.IsZero() && !seen.Equal(now.UpdatedAt) && was == s.fingerprint(now) { // the change was another section's
		seen = now.UpdatedAt
	}
	var changed []string
	_, err = p.admin.UpdateExperience(v.R.Context(), v.By, seen, func(e *store.Experience) error {
		before := s.values(*e)
		if err := s.apply(form, e); err != nil {
			return err
		}
		changed = s.changed(v, before, s.values(*e))
		return nil
	})
	switch {
	case err == nil:
		return v.Done(path+s.path+kept(v), notice(v, changed))
	case store.CodeOf(err) == store.Changed:
		if now, err = p.admin.Experience(v.R.Context()); err != nil {
			return err
		}
		form.Changed(s.values(now), now.UpdatedAt, s.labels(v)...)
		s.call(v, &form)
		return p.show(v, s, http.StatusConflict, form, s.fingerprint(now))
	case form.Take(v, err):
		return p.show(v, s, http.StatusUnprocessableEntity, form, was)
	}
	return err
}

// upload keeps the pictures that were chosen, and gives their fields the addresses that they
// have here. It is false if one is none, which the form says then.
func (p *Pages) upload(v *shell.Visit, s section, form shell.Form) (ok bool, err error) {
	ok = true
	for _, f := range s.fields {
		file := v.File(f.name + ".file")
		if file == nil {
			continue
		}
		address, err := p.admin.KeepPicture(v.R.Context(), p.shell.Endpoint.String(), f.name, file.Data)
		switch {
		case err == nil:
			form.Values.Set(f.name, address)
		case form.Take(v, err):
			ok = false
		default:
			return false, err
		}
	}
	return ok, nil
}

// notice says what was changed.
func notice(v *shell.Visit, changed []string) string {
	if len(changed) == 0 {
		return v.T("Nothing to save: everything is as it was.")
	}
	list := changed[0]
	for _, name := range changed[1:] {
		list += v.T(", ") + name
	}
	return v.T("Saved: %s.", list)
}
