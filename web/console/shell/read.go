package shell

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"idp/web/form"
	"idp/web/problem"
)

const (
	maxQuery  = 8 << 10
	maxFields = 2_000 // checkboxes of a form are many
	// MaxBody bounds what a form of the console carries.
	MaxBody = 2 << 20
	// strangersBody bounds it for who is not known to be signed in: what is read is held in
	// memory before its token can be looked at.
	strangersBody = 64 << 10
)

// File is what was chosen in a field of the type file.
type File struct {
	Name string
	Data []byte
}

// File is the file that was chosen in a field; nil if none was.
func (v *Visit) File(name string) *File { return v.files[name] }

func readQuery(r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > form.MaxQuery {
		return nil, problem.New("large", http.StatusRequestURITooLong)
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem.BadForm(err)
	}
	return values, check(values)
}

// read reads the fields of a form, and the files with it. A field may be there more than
// once: boxes that are ticked. most bounds the body, in bytes.
func read(w http.ResponseWriter, r *http.Request, most int64) (url.Values, map[string]*File, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	r.Body = http.MaxBytesReader(w, r.Body, most)
	r.URL.RawQuery = "" // a form has its fields in the body
	switch {
	case err == nil && kind == "application/x-www-form-urlencoded":
		err = r.ParseForm()
	case err == nil && kind == "multipart/form-data":
		err = r.ParseMultipartForm(most) //nolint:gosec // the body is bounded above
	default:
		return nil, nil, problem.BadForm(errors.New("not a form"))
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || errors.Is(err, multipart.ErrMessageTooLarge):
		return nil, nil, problem.New("large", http.StatusRequestEntityTooLarge)
	case err != nil:
		return nil, nil, problem.BadForm(err)
	}
	files := map[string]*File{}
	if r.MultipartForm != nil {
		defer func() { _ = r.MultipartForm.RemoveAll() }() // what did not fit into memory
		for name, headers := range r.MultipartForm.File {
			f, err := headers[0].Open()
			if err != nil {
				return nil, nil, problem.BadForm(err)
			}
			data, err := io.ReadAll(f)
			_ = f.Close() // read
			if err != nil {
				return nil, nil, problem.BadForm(err)
			}
			if len(data) > 0 {
				files[name] = &File{headers[0].Filename, data}
			}
		}
	}
	return r.PostForm, files, check(r.PostForm)
}

// check looks at what package admin does not. How long a field may be is not for here: what is
// too long is told beside it, where what was typed stays.
func check(values url.Values) error {
	n := 0
	for _, all := range values {
		for i, value := range all {
			n++
			switch {
			case n > maxFields:
				return problem.BadForm(errors.New("too many fields"))
			case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
				return problem.BadForm(errors.New("a field is not text"))
			}
			all[i] = strings.ReplaceAll(value, "\r\n", "\n") // as HTML sends the lines of a textarea
		}
	}
	return nil
}
