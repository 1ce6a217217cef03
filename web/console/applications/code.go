package applications

import (
	"cmp"
	"embed"
	"encoding/json"
	"io/fs"
	"net/url"
	"strings"
	"text/template"

	"idp/store"
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

// Snippet is a piece of code to paste into an app.
type Snippet struct {
	Title string // what it is; English, and translated where it is shown
	Save  string // the file to save it as; "" for a command
	Text  string
}

// Snippets is the code that the console shows for a framework, by the key of its card, with
// the values of an application; nil if there is no such card for its type.
func Snippets(endpoint string, c store.Client, secret, framework string) ([]Snippet, error) {
	f := frameworkOf(framework, c.Type)
	if f == nil {
		return nil, nil
	}
	return f.write(valuesOf(endpoint, c, f, secret))
}

func (f *framework) write(known values) (snippets []Snippet, err error) {
	for _, s := range f.Steps {
		var text strings.Builder
		if err := code.ExecuteTemplate(&text, s.From, known); err != nil {
			return nil, err
		}
		snippets = append(snippets, Snippet{cmp.Or(s.Title, s.Save), s.Save, strings.TrimRight(text.String(), "\n")})
	}
	return snippets, nil
}

// valuesOf chooses of what an application has registered what fits a framework best.
func valuesOf(endpoint string, c store.Client, f *framework, secret string) values {
	if !c.Type.Confidential() {
		secret = ""
	}
	endpoint = strings.TrimSuffix(endpoint, "/")
	known := values{Endpoint: endpoint, Issuer: endpoint + "/oidc", ID: c.ID, Secret: secret, Session: store.RandomText(32), Loopback: "http://127.0.0.1/callback"}
	best := -1
	for _, uri := range c.RedirectURIs {
		fit := 0
		if f.Insists != "" && strings.HasSuffix(uri, f.Insists) {
			fit += 2
		}
		if u, err := url.Parse(uri); err == nil && u.Scheme == "http" { // on loopback: where it is developed
			known.Loopback = uri
			if c.Type != store.Native {
				fit++
			}
		}
		if fit > best {
			best, known.Redirect = fit, uri
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
