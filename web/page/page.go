// Package page renders HTML pages and sets the headers that every page has.
//
// A page is a template that defines "title" and "main"; layout.html is around it, and
// parts.html holds the parts that pages share. A page may define any of them anew.
// What does not depend on a request is put into the template's source when it is
// first used, once per language: {{t "key"}} becomes the text, {{static "name"}}
// the file's address, {{lang}} and {{dir}} the language's. What is left are the
// values, which html/template escapes for the place they stand in. A text's fields
// are such values too. {{n "key" .Number}} is a text that counts, {{time .At}} and
// {{day .At}} write an instant and its day.
package page

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "embed"

	"idp/web/locales"
	"idp/web/static"
)

//go:embed layout.html
var layout string

//go:embed parts.html
var parts string

// Kit is what the pages of a set have around them.
type Kit struct {
	Layout, Parts string
	Text          func(l *locales.Language, key string) string // what {{t "key"}} becomes, its fields unfilled
	Functions     func(l *locales.Language) template.FuncMap   // that templates can call, besides those of all pages; nil: none
}

// Set is the pages of one package.
type Set struct {
	files   *static.Files
	kit     Kit
	parsed  map[key]func() *template.Template
	buffers sync.Pool
	shells  shells
}

type key struct{ name, tag string }

// Load reads the templates NAME.html in folder. A template with variants becomes
// one page for each, with $ in the keys of its texts ({{t "$.title"}}) replaced by
// the variant's name. They are part of the binary, so a
// broken one is a bug and panics; each is parsed when it is first shown, because
// pages times languages would cost a tenth of a second at every start.
func Load(folder fs.FS, variants map[string][]string, languages *locales.Set, files *static.Files) *Set {
	return Kit{Layout: layout, Parts: parts, Text: (*locales.Language).Text}.Load(folder, variants, languages, files)
}

// Load is [Load] for pages with another layout than the sign-in pages'.
func (k Kit) Load(folder fs.FS, variants map[string][]string, languages *locales.Set, files *static.Files) *Set {
	s := &Set{
		files:   files,
		kit:     k,
		parsed:  map[key]func() *template.Template{},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
		shells:  shells{known: map[shellKey]shell{}, marks: newMarks()},
	}
	names, err := fs.Glob(folder, "*.html")
	if err != nil {
		panic(err)
	}
	sources := map[string]string{}
	for _, file := range names {
		text, err := fs.ReadFile(folder, file)
		if err != nil {
			panic(err)
		}
		name := strings.TrimSuffix(file, ".html")
		if variants[name] == nil {
			sources[name] = string(text)
		}
		for _, v := range variants[name] {
			sources[v] = strings.ReplaceAll(string(text), `{{t "$.`, `{{t "`+v+`.`)
		}
	}
	for name, source := range sources {
		for _, l := range languages.All() {
			s.parsed[key{name, l.Tag}] = sync.OnceValue(func() *template.Template {
				return s.parse(name, source, l)
			})
		}
	}
	return s
}

var fixed = regexp.MustCompile(`\{\{(t|static) "([^"]+)"\}\}|\{\{(lang|dir)\}\}`)

func (s *Set) parse(name, source string, l *locales.Language) *template.Template {
	t := template.New("layout").Funcs(functions(l)).Option("missingkey=error")
	if s.kit.Functions != nil {
		t.Funcs(s.kit.Functions(l))
	}
	for _, text := range []string{s.kit.Layout, s.kit.Parts, source} { // the blank lines between parts are nobody's
		if _, err := t.Parse(s.fix(text, l)); err != nil {
			panic(fmt.Sprintf("page %s in %s: %v", name, l.Tag, err))
		}
	}
	return t
}

// functions are what a template can call.
func functions(l *locales.Language) template.FuncMap {
	return template.FuncMap{
		"n":    l.Count,
		"day":  func(t time.Time) template.HTML { return stamped(t.UTC().Format(time.DateOnly), l.Day(t)) },
		"time": func(t time.Time) template.HTML { return stamped(t.UTC().Format(time.RFC3339), l.Instant(t)) },
	}
}

// stamped is a written time that scripts can read, too (times.js tells it in the
// reader's own zone).
func stamped(machine, written string) template.HTML {
	return template.HTML(`<time datetime="` + machine + `">` + html.EscapeString(written) + `</time>`) //nolint:gosec // escaped
}

// fix puts in what does not depend on a request.
func (s *Set) fix(source string, l *locales.Language) string {
	return fixed.ReplaceAllStringFunc(source, func(action string) string {
		m := fixed.FindStringSubmatch(action)
		switch {
		case m[1] == "t":
			return literal(s.kit.Text(l, m[2]))
		case m[1] == "static":
			return s.files.URL(m[2])
		case m[3] == "lang":
			return l.Tag
		}
		return l.Dir
	})
}

var field = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// literal escapes a text for HTML, and leaves its fields for the template.
func literal(text string) string {
	var out strings.Builder
	at := 0
	for _, f := range field.FindAllStringIndex(text, -1) {
		out.WriteString(html.EscapeString(text[at:f[0]]))
		out.WriteString(text[f[0]:f[1]])
		at = f[1]
	}
	out.WriteString(html.EscapeString(text[at:]))
	return out.String()
}

// Render writes a page. Headers of the page itself (see [Protect]) are the
// caller's; an error means that nothing was written.
func (s *Set) Render(w http.ResponseWriter, status int, l *locales.Language, name string, data any) error {
	b := s.buffer()
	defer s.buffers.Put(b)
	if err := s.execute(b, l, name, data); err != nil {
		return err
	}
	write(w, status, l, b)
	return nil
}

func (s *Set) buffer() *bytes.Buffer {
	b := s.buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

func (s *Set) execute(b *bytes.Buffer, l *locales.Language, name string, data any) error {
	parsed, ok := s.parsed[key{name, l.Tag}]
	if !ok {
		return fmt.Errorf("there is no page %q in %s", name, l.Tag)
	}
	if err := parsed().Execute(b, data); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	return nil
}

func write(w http.ResponseWriter, status int, l *locales.Language, b *bytes.Buffer) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", l.Tag)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the visitor may be gone
}
