package timeline

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

//go:embed pages/*.html
var files embed.FS

// Pages is the area.
type Pages struct {
	shell *shell.Shell
	admin *admin.Service
	set   *shell.Set
}

// New makes the area.
func New(s *shell.Shell, a *admin.Service) *Pages { return &Pages{s, a, s.Load(files)} }

// Mount adds the routes below /console.
func (p *Pages) Mount(r chi.Router) {
	p.shell.Get(r, "/why", p.show)
	p.shell.Post(r, "/why/lift-suppression", store.RoleAdmin, p.liftSuppression)
	p.shell.Post(r, "/why/lift-mute", store.RoleAdmin, p.liftMute)
	p.shell.Post(r, "/why/reinstate", store.RoleAdmin, p.reinstate)
}

const root = shell.Path + string(shell.Why)

type view struct {
	shell.Frame
	shell.Form
	Address   string // "": none was asked for
	Person    *person
	Create    string // where an account is made for it
	Obstacles []obstacle
	Attempts  []attempt
	Events    []event
	More      bool
	Mails     string // all mails to it
}

type person struct {
	Name, Path      string
	Since, SignedIn time.Time
}

// show is GET /console/why.
func (p *Pages) show(v *shell.Visit) error {
	data := view{Frame: v.Frame(shell.Why), Form: v.Typed()}
	if v.Got("email") == "" {
		return v.Show(http.StatusOK, p.set, "why", &data)
	}
	email, err := admin.ParseEmail("look up address", "email", v.Got("email"))
	if err != nil {
		data.Take(v, err)
		return v.Show(http.StatusUnprocessableEntity, p.set, "why", &data)
	}
	t, err := p.admin.Timeline(v.R.Context(), v.By, email)
	if err != nil {
		return err
	}
	data.Address, data.More = page.Address(email), t.More
	data.Create = shell.Path + string(shell.Users) + "/new?" + url.Values{"email": {data.Address}}.Encode()
	data.Mails = shell.Path + string(shell.Deliveries) + "?" + url.Values{"to": {data.Address}}.Encode()
	if t.User != nil {
		data.Person = &person{t.User.Name, shell.Users.At(t.User.ID), t.User.CreatedAt, t.User.SignedIn}
	}
	for _, o := range t.Obstacles {
		data.Obstacles = append(data.Obstacles, told(v, o, data))
	}
	for _, a := range t.Attempts {
		data.Attempts = append(data.Attempts, attemptOf(v, a))
	}
	for _, e := range t.Events {
		if slices.Contains(telling, e.Kind) {
			data.Events = append(data.Events, event{e.At, v.EventName(e.Kind, "")})
		}
	}
	return v.Show(http.StatusOK, p.set, "why", &data)
}

// liftSuppression is POST /console/why/lift-suppression.
func (p *Pages) liftSuppression(v *shell.Visit) error {
	return p.help(v, v.T("Mail is sent to the address again."), func(email store.Email) error {
		return p.admin.LiftSuppression(v.R.Context(), v.By, email)
	})
}

// liftMute is POST /console/why/lift-mute.
func (p *Pages) liftMute(v *shell.Visit) error {
	return p.help(v, v.T("Codes for the address go to any browser again."), func(email store.Email) error {
		return p.admin.LiftMute(v.R.Context(), v.By, email)
	})
}

// reinstate is POST /console/why/reinstate.
func (p *Pages) reinstate(v *shell.Visit) error {
	return p.help(v, v.T("The account is reinstated: they can sign in again."), func(email store.Email) error {
		u, err := p.admin.UserByEmail(v.R.Context(), email)
		if err == nil {
			_, err = p.admin.SuspendUser(v.R.Context(), v.By, u.ID, time.Time{}, false)
		}
		return err
	})
}

// help does what helps, and shows how it stands then. What has been lifted already is as good.
func (p *Pages) help(v *shell.Visit, notice string, do func(store.Email) error) error {
	email, err := admin.ParseEmail("look up address", "email", v.Got("email"))
	if err != nil {
		return err
	}
	if err := do(email); err != nil && store.CodeOf(err) != store.NotFound {
		return err
	}
	return v.Done(root+"?"+url.Values{"email": {page.Address(email)}}.Encode(), notice)
}
