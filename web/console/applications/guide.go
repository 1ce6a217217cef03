package applications

import (
	"fmt"
	"net/http"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

// madeView is the end of making an application, and the guide of one that is there.
type madeView struct {
	frame
	Secret string // shown this once
	Guide  guide
	Others []shell.Tab // other frameworks that fit
	Rest   []guide     // their code, where leaving the page would lose the secret
}

// guide is what an app needs to know, and code for one framework.
type guide struct {
	values
	Name   string
	Missed string // what its library comes back to, if that is not registered
	Steps  []shownStep
}

type shownStep struct{ ID, Title, Text string }

// placeholder stands for a secret that is not known any more.
const placeholder = "paste-the-secret-here"

// guide is GET /console/applications/{id}/guide.
func (p *Pages) guide(v *shell.Visit) error {
	c, err := p.of(v)
	if err != nil {
		return err
	}
	f := frameworkOf(v.Form.Get("as"), c.Type)
	if f == nil {
		f = guess(c)
	}
	view := madeView{frame: p.frame(v, c, tabGuide)}
	if err := p.fill(v, &view, f, placeholder); err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "guide", &view)
}

// showMade answers the form that made an application.
func (p *Pages) showMade(v *shell.Visit, c store.Client, f *framework, secret string) error {
	view := madeView{frame: p.frame(v, c, ""), Secret: secret}
	if err := p.fill(v, &view, f, secret); err != nil {
		return err
	}
	return v.Show(http.StatusCreated, p.set, "made", &view)
}

// guess finds the card that an application was most likely made with.
func guess(c store.Client) *framework {
	var first *framework
	for i := range frameworks {
		f := &frameworks[i]
		switch {
		case f.Type != c.Type:
		case f.Alg == c.IDTokenAlg && sameLocal(c, f):
			return f
		case first == nil || first.Alg != c.IDTokenAlg && f.Alg == c.IDTokenAlg:
			first = f
		}
	}
	return first
}

// sameLocal tells whether the redirect URI of the card is registered.
func sameLocal(c store.Client, f *framework) bool {
	for _, uri := range c.RedirectURIs {
		if uri == f.Callback {
			return true
		}
	}
	return false
}

// fill puts the code for a framework into a view.
func (p *Pages) fill(v *shell.Visit, view *madeView, f *framework, secret string) error {
	c := view.App
	resource := ""
	if c.Type == store.Machine {
		var err error
		if resource, err = p.resourceOf(v, c); err != nil {
			return err
		}
	}
	for i := range frameworks {
		other := &frameworks[i]
		if other.Type != c.Type {
			continue
		}
		view.Others = append(view.Others, shell.Tab{Name: v.T(other.Name), Href: view.Path + "/guide?as=" + other.Key, Current: other == f})
		known := valuesOf(p.shell.Endpoint.String(), c, other, secret)
		known.Resource = resource
		g, err := guideOf(v, other, known)
		switch {
		case err != nil:
			return err
		case other == f:
			view.Guide = g
		default:
			view.Rest = append(view.Rest, g)
		}
	}
	return nil
}

// guideOf writes the code for a framework.
func guideOf(v *shell.Visit, f *framework, known values) (guide, error) {
	g := guide{values: known, Name: v.T(f.Name)}
	if f.Insists != "" && !strings.HasSuffix(known.Redirect, f.Insists) {
		g.Missed = known.Home + f.Insists
	}
	snippets, err := f.write(known)
	for i, s := range snippets {
		g.Steps = append(g.Steps, shownStep{fmt.Sprintf("code-%s-%d", f.Key, i+1), v.T(s.Title), s.Text})
	}
	return g, err
}

// resourceOf finds an API that a machine's roles let it call.
func (p *Pages) resourceOf(v *shell.Visit, c store.Client) (string, error) {
	const some = 20
	roles, _, err := p.admin.ClientRoles(v.R.Context(), c.ID, store.Listing{Limit: some})
	if err != nil {
		return "", err
	}
	for _, r := range roles {
		scopes, _, err := p.admin.RoleScopes(v.R.Context(), r.ID, store.Listing{Limit: 1})
		if err != nil {
			return "", err
		}
		for _, scope := range scopes {
			resource, err := p.admin.Resource(v.R.Context(), scope.Resource)
			if err != nil {
				return "", err
			}
			return resource.Indicator, nil
		}
	}
	return "https://api.example.com", nil
}
