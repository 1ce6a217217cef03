package applications

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"text/template"

	"idp/store"
	"idp/web/console/shell"
)

//go:embed code
var codeFiles embed.FS

// code is the code to paste: <<.ID>> and the like become the application's values.
var code = readCode()

func readCode() *template.Template {
	all := template.New("").Delims("<<", ">>").Funcs(template.FuncMap{"text": textLiteral, "env": envLiteral})
	err := fs.WalkDir(codeFiles, "code", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := codeFiles.ReadFile(name)
		if err == nil {
			_, err = all.New(strings.TrimPrefix(name, "code/")).Parse(string(text))
		}
		return err
	})
	if err != nil {
		panic(err) // the files are part of the binary
	}
	return all
}

// values are what code to paste holds of an application.
type values struct {
	Endpoint, Issuer string
	ID, Secret       string // the secret is "" for who has none
	Redirect, Out    string // where people come back to after a sign-in, and after a sign-out
	Home             string // the app's own address: what the redirect URI begins with
	Path, Port       string // of the redirect URI
	Scheme           string // of the redirect URI
	Loopback         string // the redirect URI for a program at the command line
	Session          string // a new secret for the app's own cookies
	Resource         string // an API that a machine has a token for
}

// madeView is the end of making an application, and the guide of one that is there.
type madeView struct {
	frame
	Secret string // shown this once
	Guide  guide
	Others []tab   // other frameworks that fit
	Rest   []guide // their code, where leaving the page would lose the secret
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
		view.Others = append(view.Others, tab{v.T(other.Name), view.Path + "/guide?as=" + other.Key, other == f})
		known := p.valuesOf(c, other, secret)
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
	for i, s := range f.Steps {
		var text strings.Builder
		if err := code.ExecuteTemplate(&text, s.File, known); err != nil {
			return g, err
		}
		g.Steps = append(g.Steps, shownStep{fmt.Sprintf("code-%s-%d", f.Key, i+1), v.T(s.Title), strings.TrimRight(text.String(), "\n")})
	}
	return g, nil
}

// valuesOf chooses of what an application has registered what fits a framework best.
func (p *Pages) valuesOf(c store.Client, f *framework, secret string) values {
	if !c.Type.Confidential() {
		secret = ""
	}
	endpoint := strings.TrimSuffix(p.shell.Endpoint.String(), "/")
	known := values{Endpoint: endpoint, Issuer: endpoint + "/oidc", ID: c.ID, Secret: secret, Session: store.RandomText(32), Loopback: "http://127.0.0.1/callback"}
	for _, uri := range c.RedirectURIs {
		if known.Redirect == "" || f.Insists != "" && strings.HasSuffix(uri, f.Insists) && !strings.HasSuffix(known.Redirect, f.Insists) {
			known.Redirect = uri
		}
		if u, err := url.Parse(uri); err == nil && u.Scheme == "http" && store.IsLoopback(u.Hostname()) {
			known.Loopback = uri
		}
	}
	if u, err := url.Parse(known.Redirect); err == nil && known.Redirect != "" {
		known.Home, known.Path, known.Port, known.Scheme = u.Scheme+"://"+u.Host, u.Path, u.Port(), u.Scheme
	}
	if known.Path == "" {
		known.Path = "/callback"
	}
	if known.Port == "" {
		known.Port = "3000"
	}
	known.Out = known.Home
	if len(c.PostLogoutRedirectURIs) > 0 {
		known.Out = c.PostLogoutRedirectURIs[0]
	}
	return known
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

// textLiteral is a text as JavaScript, Python, Go, Swift and Kotlin write it.
func textLiteral(text string) string {
	quoted, _ := json.Marshal(text)                                                  // of a string
	return strings.NewReplacer(`\u0026`, "&", "$", `\u0024`).Replace(string(quoted)) // Kotlin puts values in after a $
}

// envLiteral is a value as files of environment variables and shells write it.
func envLiteral(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~:/?=@%+,", r))
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
