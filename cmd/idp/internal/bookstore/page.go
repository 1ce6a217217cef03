package bookstore

import (
	"bytes"
	"net/http"
	"strings"
)

// book is something on the shelf.
type book struct{ Title, Author, Price, Tint string }

var shelf = []book{
	{"The Locksmith's Daughter", "Ines Aldana", "18.00", "a"},
	{"A Field Guide to Letters", "Tomasz Wierzba", "24.50", "b"},
	{"Six Digits", "Mariko Hayashi", "12.90", "c"},
	{"The Quiet Postman", "Oluwaseun Adeyemi", "16.40", "d"},
}

// page is what the templates get.
type page struct {
	Title    string
	Customer *customer
	Mailbox  string
	Account  string // the provider's page about the customer
	Bye      bool
	Books    []book

	Text, Detail string // of a problem
}

func (s *Shop) home(w http.ResponseWriter, r *http.Request) {
	p := page{Title: "Bookstore", Books: shelf, Bye: r.URL.RawQuery == "bye"}
	if c, ok := s.sessions.of(r); ok {
		p.Customer, p.Bye = &c, false
	}
	s.render(w, http.StatusOK, "home", p)
}

func (s *Shop) claims(w http.ResponseWriter, r *http.Request) {
	c, ok := s.sessions.of(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.render(w, http.StatusOK, "claims", page{Title: "What the shop was told", Customer: &c})
}

func (s *Shop) unreachable(w http.ResponseWriter, err error) {
	s.config.Log.Warn("bookstore: the provider does not answer", "err", err)
	w.Header().Set("Retry-After", "2")
	s.problem(w, http.StatusServiceUnavailable, "Sign-in is not available yet",
		"The provider at "+s.config.Issuer+" does not answer. It may still be starting: try again in a moment.", err.Error())
}

func (s *Shop) problem(w http.ResponseWriter, status int, title, text, detail string) {
	s.render(w, status, "problem", page{Title: title, Text: text, Detail: detail})
}

func (s *Shop) render(w http.ResponseWriter, status int, name string, p page) {
	p.Mailbox, p.Account = s.config.Mailbox, strings.TrimSuffix(s.config.Issuer, "/oidc")+"/account"
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, p); err != nil {
		s.config.Log.Error("bookstore: render the page", "err", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
