package signin

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	maxBody  = 64 << 10
	maxQuery = 24 << 10 // r with 2 kB of state and every other parameter at its longest, and c
	maxTyped = 1 << 10  // what a person types: longer ones are rubbish
)

// longest are the fields that may be longer than maxTyped: the sealed ones.
var longest = map[string]int{"r": maxQuery, "c": 2 << 10, "again": maxQuery}

// readForm reads the fields of a visit: the query of a GET, the body of a POST.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		if len(r.URL.RawQuery) > maxQuery {
			return nil, &problem{page: "large", status: http.StatusRequestURITooLong}
		}
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, badForm(err)
		}
		return values, checkForm(values)
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return nil, badForm(errors.New("not a form"))
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	r.URL.RawQuery = "" // a form has its fields in the body
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, &problem{page: "large", status: http.StatusRequestEntityTooLarge}
		}
		return nil, badForm(err)
	}
	return r.PostForm, checkForm(r.PostForm)
}

func checkForm(values url.Values) error {
	for name, v := range values {
		limit := maxTyped
		if n, ok := longest[name]; ok {
			limit = n
		}
		switch {
		case len(v) > 1:
			return badForm(errors.New("a field is there twice"))
		case len(v[0]) > limit:
			return badForm(errors.New("a field is too long"))
		case !utf8.ValidString(v[0]) || strings.ContainsRune(v[0], 0):
			return badForm(errors.New("a field is not text"))
		}
	}
	return nil
}

func badForm(cause error) error {
	return &problem{page: "bad", status: http.StatusBadRequest, cause: cause}
}
