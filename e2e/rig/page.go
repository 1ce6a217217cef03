package rig

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Page is an answer.
type Page struct {
	t      *testing.T
	Status int
	Header http.Header
	URL    *url.URL // after redirects within the provider
	Body   string
	doc    *html.Node
	Leaves string // a redirect out of the provider, or ""
}

// Hidden are the fields of a form as the page has them.
func Hidden(p Page, action string) url.Values {
	values := url.Values{}
	if f := p.Form(action); f != nil {
		for c := range f.Descendants() {
			if c.Data == "input" {
				values.Set(attr(c, "name"), attr(c, "value"))
			}
		}
	}
	return values
}

// Form is the form that posts to a path, or nil.
func (p Page) Form(action string) (form *html.Node) {
	walk(p.doc, func(n *html.Node) {
		if u, err := url.Parse(attr(n, "action")); n.Data == "form" && form == nil && err == nil && u.Path == action {
			form = n
		}
	})
	return form
}

// Alert is the text of the error on the page.
func (p Page) Alert() (text string) {
	walk(p.doc, func(n *html.Node) {
		if attr(n, "role") == "alert" {
			text = strings.TrimSpace(textOf(n))
		}
	})
	return text
}

// Text is the words on the page.
func (p Page) Text() string { return strings.Join(strings.Fields(textOf(p.doc)), " ") }

// Field is the value of an input, and whether there is one.
func (p Page) Field(name string) (value string, ok bool) {
	walk(p.doc, func(n *html.Node) {
		if n.Data == "input" && attr(n, "name") == name && !ok {
			value, ok = attr(n, "value"), true
		}
	})
	return value, ok
}

// Is fails the test unless the page has the status and, if given, the words.
func (p Page) Is(status int, words ...string) Page {
	p.t.Helper()
	if p.Status != status {
		p.t.Fatalf("status %d, want %d: %s %s", p.Status, status, p.Leaves, p.Text())
	}
	for _, w := range words {
		if !strings.Contains(strings.ToLower(p.Text()), strings.ToLower(w)) {
			p.t.Fatalf("the page does not say %q: %s", w, p.Text())
		}
	}
	return p
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Data == "style" || n.Data == "script" {
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
		b.WriteByte(' ')
	}
	return b.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// ParseURL reads a URL.
func ParseURL(s string) (*url.URL, error) { return url.Parse(s) }

// Must gives the value, or panics: for what cannot fail in a test.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Answer reads the redirect to the client.
func (p Page) Answer(r Request) url.Values {
	p.t.Helper()
	if p.Leaves == "" {
		p.t.Fatalf("no redirect to the client but status %d: %s", p.Status, p.Text())
	}
	want := Must(url.Parse(r.Params.Get("redirect_uri")))
	got := Must(url.Parse(p.Leaves))
	if got.Host != want.Host || got.Path != want.Path {
		p.t.Fatalf("redirected to %s, want %s", p.Leaves, want)
	}
	q := got.Query()
	for k, v := range want.Query() {
		if q.Get(k) != v[0] {
			p.t.Errorf("the redirect lost %s=%s", k, v[0])
		}
	}
	if q.Get("state") != r.Params.Get("state") || q.Get("iss") == "" {
		p.t.Errorf("redirect %s: state and iss are wrong", p.Leaves)
	}
	return q
}
