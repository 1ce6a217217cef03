// Package form reads what people send, and keeps out the forms of other sites.
package form

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"idp/web/problem"
)

// MaxQuery is how long a query can be: a sealed authorization request with 2 kB of
// state and every other parameter at its longest, and a sealed challenge.
const MaxQuery = 24 << 10

const (
	maxBody  = 64 << 10
	maxTyped = 1 << 10 // what a person types: longer ones are rubbish
)

// Read reads the fields of a visit: the query of a GET, the body of a POST. Each is
// there once, and is text. longest are the fields that may be longer than what a
// person types. Errors are of the type [problem.Problem].
func Read(w http.ResponseWriter, r *http.Request, longest map[string]int) (url.Values, error) {
	if r.Method != http.MethodPost {
		if len(r.URL.RawQuery) > MaxQuery {
			return nil, problem.New("large", http.StatusRequestURITooLong)
		}
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, problem.BadForm(err)
		}
		return values, check(values, longest)
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return nil, problem.BadForm(errors.New("not a form"))
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	r.URL.RawQuery = "" // a form has its fields in the body
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, problem.New("large", http.StatusRequestEntityTooLarge)
		}
		return nil, problem.BadForm(err)
	}
	return r.PostForm, check(r.PostForm, longest)
}

func check(values url.Values, longest map[string]int) error {
	for name, v := range values {
		limit := maxTyped
		if n, ok := longest[name]; ok {
			limit = n
		}
		switch {
		case len(v) > 1:
			return problem.BadForm(errors.New("a field is there twice"))
		case len(v[0]) > limit:
			return problem.BadForm(errors.New("a field is too long"))
		case !utf8.ValidString(v[0]) || strings.ContainsRune(v[0], 0):
			return problem.BadForm(errors.New("a field is not text"))
		}
	}
	return nil
}
