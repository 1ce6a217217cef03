package page

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"idp/store"
	"idp/web/locales"
)

// Frame is what stands around the main part of a page. The templates' part "body"
// shows it: a view embeds it.
type Frame struct {
	App, Initial string // whose page it is, "" for nobody's
	Look         *Look
	Languages    []Choice
}

// Of starts the frame of a page of an app.
func Of(app string, look *Look) Frame {
	return Frame{App: Name(app), Initial: initial(app), Look: look}
}

// IsLight tells whether the page is light whatever the browser prefers.
func (f Frame) IsLight() bool { return f.Look != nil && f.Look.Light }

// Schemes are the colour schemes that the page has, as <meta name="color-scheme"> says it.
func (f Frame) Schemes() string {
	switch {
	case f.IsLight():
		return "light"
	case f.IsPreview():
		return "dark"
	}
	return "light dark"
}

// IsPreview tells that nobody signs in on the page: it is looked at (see [Preview]).
func (f Frame) IsPreview() bool { return f.Look != nil && f.Look.Style != "" }

// HasLogo tells whether there is a picture in the place of the initial.
func (f Frame) HasLogo() bool { return f.Look != nil && f.Look.Logo != "" }

// HasIcon tells whether the browser's tab has an icon of its own.
func (f Frame) HasIcon() bool { return f.Look != nil && f.Look.Favicon != "" }

// initial is the first character of a name, for its tile.
func initial(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	if r == utf8.RuneError {
		return ""
	}
	return string(unicode.ToUpper(r))
}

// Host is the name under which people know us where no app's name stands.
func Host(endpoint *url.URL) string {
	if host := endpoint.Hostname(); !store.IsLoopback(host) {
		return host
	}
	return "localhost"
}

// Choice is a language at the foot of a page; without an address it is the one that
// the page is in.
type Choice struct{ Tag, Name, Href string }

// Languages are the choices on a page; here is its own address.
func Languages(all *locales.Set, current *locales.Language, here string) []Choice {
	var choices []Choice
	for _, l := range all.All() {
		c := Choice{Tag: l.Tag, Name: l.Name}
		if l != current {
			c.Href = withLanguage(here, l.Tag)
		}
		choices = append(choices, c)
	}
	return choices
}

// withLanguage is an address of ours in another language.
func withLanguage(here, tag string) string {
	path, rest, _ := strings.Cut(here, "?")
	query, err := url.ParseQuery(rest)
	if err != nil {
		query = url.Values{}
	}
	query.Set("lang", tag)
	return path + "?" + query.Encode()
}

// Memory keeps the person's own choice of a language.
type Memory interface {
	Language(r *http.Request) string
	SetLanguage(w http.ResponseWriter, tag string)
}

// Switch does what ?lang= says, and gives that language; nil if it says nothing.
func Switch(w http.ResponseWriter, r *http.Request, all *locales.Set, m Memory) *locales.Language {
	if r.Method == http.MethodPost || !strings.Contains(r.URL.RawQuery, "lang") && !strings.Contains(r.URL.RawQuery, "%") { // which may stand for its letters
		return nil
	}
	l := all.Find(r.URL.Query().Get("lang"))
	if l != nil {
		m.SetLanguage(w, l.Tag)
	}
	return l
}

// Requested is the address that was asked for. A path with two slashes would name
// another host where it is used as a link.
func Requested(r *http.Request) string {
	return "/" + strings.TrimLeft(r.URL.RequestURI(), `/\`)
}

// SeeOther sends the browser on; to is a whole address.
func SeeOther(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
