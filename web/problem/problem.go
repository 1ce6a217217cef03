// Package problem is what goes wrong for a person: an error that a page explains.
// The page packages make them; the sign-in pages show them (see signin.Pages.Fail).
package problem

import (
	"errors"
	"net/http"
)

// Problem is an error with a page of its own. It is the visitor's or the app's, so
// only the access log tells of it.
type Problem struct {
	Page   string // name of the page that explains it, "" to find it by Err
	Status int
	Err    error  // the cause, may be nil
	Back   string // where to start again; "": whoever shows it knows
	Detail string // for developers
}

// New makes a problem.
func New(page string, status int) *Problem { return &Problem{Page: page, Status: status} }

// At says of an error where the same can be tried again, unless it knows.
func At(back string, err error) *Problem {
	at := Problem{Err: err}
	var p *Problem
	if errors.As(err, &p) {
		at = *p
	}
	if at.Back == "" {
		at.Back = back
	}
	return &at
}

func (p *Problem) Error() string {
	switch {
	case p.Err == nil:
		return p.Page
	case p.Page == "":
		return p.Err.Error()
	}
	return p.Page + ": " + p.Err.Error()
}

func (p *Problem) Unwrap() error { return p.Err }

// BadForm is a form that cannot be read.
func BadForm(cause error) *Problem {
	return &Problem{Page: "bad", Status: http.StatusBadRequest, Err: cause}
}

// CrossSite is a form of another site.
func CrossSite() *Problem { return New("cross", http.StatusForbidden) }
