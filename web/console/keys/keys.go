package keys

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
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

// root is where the area is.
const root = shell.Path + string(shell.Keys)

// Mount adds the routes below /console.
func (p *Pages) Mount(r chi.Router) {
	p.shell.Get(r, "/keys", p.list)
	p.shell.Post(r, "/keys/rotate", store.RoleOwner, p.rotate)
	p.shell.Get(r, "/keys/{id}", p.show)
	p.shell.Post(r, "/keys/{id}/delete", store.RoleOwner, p.remove)
}

// key is a key as people are told of it.
type key struct {
	ID, Short, Alg, Path      string
	CreatedAt, RetiredAt      time.Time
	State, Kind               string // Kind is that of its badge
	Until                     time.Time
	Signs, Next, Retired, Out bool // Out: it is published no longer
}

// shortened is how much of an id is typed to confirm: enough to tell keys apart.
const shortened = 8

// tell says what a key is at: one that replaced another is published before it signs.
func tell(v *shell.Visit, k store.SigningKey, all []store.SigningKey, now time.Time) key {
	out := key{ID: k.ID, Short: k.ID[:min(shortened, len(k.ID))], Alg: k.Alg, Path: root + "/" + url.PathEscape(k.ID), CreatedAt: k.CreatedAt, RetiredAt: k.RetiredAt, Until: k.PublishedUntil()}
	replaced := slices.ContainsFunc(all, func(o store.SigningKey) bool { return o.Alg == k.Alg && o.RetiredAt.Equal(k.CreatedAt) })
	switch {
	case out.Until.IsZero() && replaced && now.Before(k.CreatedAt.Add(store.KeyAnnounced)):
		out.Next, out.State, out.Kind = true, v.T("Next"), "info"
	case out.Until.IsZero():
		out.Signs, out.State, out.Kind = true, v.T("Signs"), "good"
	case now.Before(out.Until):
		out.Retired, out.State, out.Kind = true, v.T("Retired"), "warn"
	default:
		out.Retired, out.Out, out.State = true, true, v.T("Retired, not published")
	}
	return out
}

// algorithm is the keys of one.
type algorithm struct {
	Alg, Use string
	Keys     []key
	Wrong    string
}

// uses say what an algorithm is for, in the order of the page.
var uses = [][2]string{
	{"ES256", shell.N("Elliptic curve. For most apps, and what new ones are made with.")},
	{"RS256", shell.N("RSA. For libraries that know nothing else, such as many of Auth0’s.")},
	{"ES384", shell.N("A longer elliptic curve.")},
	{"EdDSA", shell.N("Ed25519.")},
}

type listView struct {
	shell.Frame
	shell.Form
	Algorithms []algorithm
	JWKS       string
}

// list is GET /console/keys.
func (p *Pages) list(v *shell.Visit) error {
	return p.showList(v, http.StatusOK, shell.NewForm(url.Values{}, time.Time{}), "", "")
}

func (p *Pages) showList(v *shell.Visit, status int, f shell.Form, alg, wrong string) error {
	all, err := p.admin.SigningKeys(v.R.Context())
	if err != nil {
		return err
	}
	view := listView{Frame: v.Frame(shell.Keys), Form: f, JWKS: strings.TrimRight(p.shell.Endpoint.String(), "/") + "/oidc/jwks"}
	now := p.shell.Store.Now()
	for _, u := range uses {
		one := algorithm{Alg: u[0], Use: v.T(u[1])}
		for _, k := range all {
			if k.Alg == u[0] {
				one.Keys = append(one.Keys, tell(v, k, all, now))
			}
		}
		if alg == u[0] {
			one.Wrong = wrong
		}
		if len(one.Keys) > 0 {
			view.Algorithms = append(view.Algorithms, one)
		}
	}
	return v.Show(status, p.set, "list", view)
}

// rotate is POST /console/keys/rotate.
func (p *Pages) rotate(v *shell.Visit) error {
	alg := v.Got("alg")
	if !v.Confirmed(alg) {
		return p.showList(v, http.StatusUnprocessableEntity, v.Typed(), alg, v.T("That is not its name: the key stays as it is."))
	}
	return v.Once(func() (string, error) {
		if _, err := p.admin.RotateSigningKeys(v.R.Context(), v.By, func(a string) bool { return a == alg }); err != nil {
			return "", err
		}
		return root, v.Done(root, v.T("There is a new key for %s. It signs in ten seconds, when every server publishes it.", alg))
	})
}

type keyView struct {
	shell.Frame
	Key   key
	Wrong string
}

// show is GET /console/keys/ID.
func (p *Pages) show(v *shell.Visit) error { return p.showKey(v, http.StatusOK, "") }

func (p *Pages) showKey(v *shell.Visit, status int, wrong string) error {
	all, err := p.admin.SigningKeys(v.R.Context())
	if err != nil {
		return err
	}
	id := v.Param("id")
	i := slices.IndexFunc(all, func(k store.SigningKey) bool { return k.ID == id })
	if i < 0 {
		return &store.Error{Code: store.NotFound, Op: "read key"}
	}
	return v.Show(status, p.set, "key", keyView{v.Frame(shell.Keys), tell(v, all[i], all, p.shell.Store.Now()), wrong})
}

// remove is POST /console/keys/ID/delete.
func (p *Pages) remove(v *shell.Visit) error {
	id := v.Param("id")
	if !v.Confirmed(id) && !v.Confirmed(id[:min(shortened, len(id))]) {
		return p.showKey(v, http.StatusUnprocessableEntity, v.T("That is not its name: nothing was deleted."))
	}
	if err := p.admin.DeleteSigningKey(v.R.Context(), v.By, id); err != nil {
		return err
	}
	return v.Done(root, v.T("Deleted the key %s.", id[:min(shortened, len(id))]))
}

// FieldsOf are the hidden fields of the form that replaces an algorithm's key.
func (l listView) FieldsOf(alg string) map[string]string {
	return map[string]string{"alg": alg, "once": l.Once + alg}
}
