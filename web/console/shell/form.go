package shell

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"idp/store"
)

// Form is what stands in a form, and what is wrong with it.
type Form struct {
	Values   url.Values
	Errors   map[string]string // by field
	Wrong    string            // what is wrong with no field in particular
	Version  string            // of what is changed, as the person saw it
	Stale    bool              // somebody else has changed it meanwhile
	Conflict []Difference      // to what, where it is not what stands here
	Once     string            // names a form that makes something
}

// Difference is a field that somebody else has changed while it was edited here.
type Difference struct{ Label, Theirs, Yours, name string }

// NewForm is a form with these values of something that is changed, seen at a version; the
// zero time is for something new.
func NewForm(values url.Values, version time.Time) Form {
	f := Form{Values: values, Errors: map[string]string{}, Once: newOnce()}
	if !version.IsZero() {
		f.Version = strconv.FormatInt(version.UnixMicro(), 10)
	}
	return f
}

// Typed is the form as it was sent.
func (v *Visit) Typed() Form {
	once := v.Form.Get("once")
	if once == "" {
		once = newOnce()
	}
	return Form{Values: v.Form, Errors: map[string]string{}, Version: v.Form.Get("version"), Once: once}
}

// Seen is the version that the person saw, for the functions of package admin. A form
// without one changes what is there now.
func (f Form) Seen() time.Time {
	n, err := strconv.ParseInt(f.Version, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// Value is what stands in a field.
func (f Form) Value(name string) string { return f.Values.Get(name) }

// Has tells whether a field has a value: a box is ticked, a choice made.
func (f Form) Has(name, value string) bool { return slices.Contains(f.Values[name], value) }

// Error is what is wrong with a field.
func (f Form) Error(name string) string { return f.Errors[name] }

// IsWrong tells whether something is to be mended.
func (f Form) IsWrong() bool { return len(f.Errors) > 0 || f.Wrong != "" || f.Stale }

// Status is that of a page that shows the form.
func (f Form) Status() int {
	switch {
	case f.Stale:
		return http.StatusConflict
	case f.IsWrong():
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// Reject notes what is wrong with a field.
func (f *Form) Reject(name, reason string) { f.Errors[name] = reason }

// Take puts an error of package admin where it belongs, and tells whether it did. A field's
// stands beside it; fields maps names of the API to those of the form where they differ
// ("redirectUris" for "redirectUris[1]"). What is taken already, needed by something else, or
// not this person's to do, is said above the form. Others are the shell's to answer.
func (f *Form) Take(v *Visit, err error, fields ...map[string]string) bool {
	if found := fieldErrors(err); len(found) > 0 {
		for _, field := range found {
			f.take(v, field, fields)
		}
		return true
	}
	switch store.CodeOf(err) {
	case store.Conflict, store.InUse, store.Forbidden, store.Invalid:
		f.Wrong = Sentence(v.T(causeOf(err)))
		if causeOf(err) == "" {
			f.Wrong = v.T("There is one like this already.")
		}
		return true
	}
	return false
}

func (f *Form) take(v *Visit, field *store.FieldError, fields []map[string]string) {
	name, rest, _ := strings.Cut(field.Field, "[")
	if i := strings.IndexByte(name, '.'); rest == "" && i > 0 && !f.Values.Has(name) {
		rest = name
	}
	shown := name
	for _, m := range fields {
		for _, key := range []string{field.Field, name} {
			if to, ok := m[key]; ok {
				shown = to
			}
		}
	}
	reason := Sentence(v.T(field.Reason))
	if n, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); err == nil {
		reason = v.T("Line %d: %s", n+1, reason)
	}
	if f.Errors[shown] == "" {
		f.Errors[shown] = reason
	}
}

// fieldErrors are all that an error says of fields: several may be wrong at once.
func fieldErrors(err error) (found []*store.FieldError) {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case nil:
	case *store.FieldError:
		found = append(found, e)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			found = append(found, fieldErrors(one)...)
		}
	case interface{ Unwrap() error }:
		found = fieldErrors(e.Unwrap())
	}
	return found
}

// Changed shows what somebody else has changed while it was edited here: now is what stands
// there, of that version, and labels say what fields are called, in their order. The form
// keeps what was typed, and saves over the new version when it is sent again.
func (f *Form) Changed(now url.Values, version time.Time, labels ...[2]string) {
	f.Stale, f.Version = true, strconv.FormatInt(version.UnixMicro(), 10)
	for _, l := range labels {
		theirs, yours := strings.Join(now[l[0]], "\n"), strings.Join(f.Values[l[0]], "\n")
		if strings.TrimSpace(theirs) != strings.TrimSpace(yours) {
			f.Conflict = append(f.Conflict, Difference{l[1], theirs, yours, l[0]})
		}
	}
}

// Call has the differences of a field told in the words of its choices.
func (f *Form) Call(name string, choices []Option) {
	word := func(value string) string {
		for _, o := range choices {
			if o.Value == value {
				return o.Name
			}
		}
		return value
	}
	for i, d := range f.Conflict {
		if d.name == name {
			f.Conflict[i].Theirs, f.Conflict[i].Yours = word(d.Theirs), word(d.Yours)
		}
	}
}

// Ticks are the choices of a box.
func (v *Visit) Ticks() []Option {
	return []Option{{Value: "1", Name: v.T("Yes")}, {Value: "", Name: v.T("No")}}
}

// Days are the moments that the fields since and until of a filter stand for: the beginning of
// the one day and the end of the other (UTC), the zero time for none. What cannot be read is
// rejected in f.
func (v *Visit) Days(f *Form) (since, until time.Time) {
	for name, at := range map[string]*time.Time{"since": &since, "until": &until} {
		text := v.Got(name)
		if text == "" {
			continue
		}
		var err error
		if *at, err = time.Parse(time.DateOnly, text); err != nil {
			f.Reject(name, v.T("Write it as 2026-01-31."))
		}
	}
	if until.IsZero() {
		return since, until
	}
	until = until.AddDate(0, 0, 1) // that day, too
	if !since.IsZero() && !since.Before(until) {
		f.Reject("until", v.T("This is before the first day."))
	}
	return since, until
}

// Lines are the lines of a field that has one of something in each.
func (f Form) Lines(name string) (lines []string) {
	for line := range strings.Lines(f.Values.Get(name)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func causeOf(err error) string {
	var e *store.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err.Error()
	}
	return ""
}

// Sentence makes one of a reason: "is no URL" is told of a field whose name stands above.
func Sentence(reason string) string {
	if reason == "" {
		return ""
	}
	if reason[0] < utf8.RuneSelf {
		reason = strings.ToUpper(reason[:1]) + reason[1:]
	}
	switch last, _ := utf8.DecodeLastRuneInString(reason); {
	case strings.ContainsRune(".。?？", last):
	case strings.ContainsFunc(reason, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }):
		reason += "。"
	default:
		reason += "."
	}
	return reason
}
