// Package flat writes and reads the small JSON objects that travel sealed, and writes lines
// of the log, at a fraction
// of what encoding/json costs: a sign-in carries its request through four of its own
// requests, and each has its line. What it writes is what encoding/json writes, without escapes for HTML, and
// what it does not know it leaves to encoding/json.
package flat

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// Writer writes one object. Its zero value is an object without fields; a field that
// may be left out is, where it holds nothing.
type Writer struct{ text []byte }

// Reuse starts an object in the memory of one that nobody needs any more.
func (w *Writer) Reuse(text []byte) { w.text = text[:0] }

// Bytes ends the object.
func (w *Writer) Bytes() []byte {
	if len(w.text) == 0 {
		w.text = append(w.text, '{')
	}
	return append(w.text, '}')
}

// name starts a field; names are literals without characters that need an escape.
func (w *Writer) name(name string) {
	before := byte(',')
	if len(w.text) == 0 {
		before = '{'
		if w.text == nil {
			w.text = make([]byte, 0, 512)
		}
	}
	w.text = append(w.text, before, '"')
	w.text = append(w.text, name...)
	w.text = append(w.text, '"', ':')
}

// String writes a text, also an empty one.
func (w *Writer) String(name, value string) {
	w.name(name)
	w.text = appendString(w.text, value)
}

// OmitString leaves an empty text out, as the other methods with Omit leave out zeros.
func (w *Writer) OmitString(name, value string) {
	if value != "" {
		w.String(name, value)
	}
}

// OmitStrings writes texts.
func (w *Writer) OmitStrings(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	before := byte('[')
	for _, v := range values {
		w.text = appendString(append(w.text, before), v)
		before = ','
	}
	w.text = append(w.text, ']')
}

// Int writes a number.
func (w *Writer) Int(name string, value int64) {
	w.name(name)
	w.text = strconv.AppendInt(w.text, value, 10)
}

// Float writes a number that is none of the special ones.
func (w *Writer) Float(name string, value float64) {
	w.name(name)
	w.text = strconv.AppendFloat(w.text, value, 'f', -1, 64)
}

// Bool writes true or false.
func (w *Writer) Bool(name string, value bool) {
	w.name(name)
	w.text = strconv.AppendBool(w.text, value)
}

// OmitBool writes true.
func (w *Writer) OmitBool(name string, value bool) {
	if value {
		w.name(name)
		w.text = append(w.text, "true"...)
	}
}

// Time writes an instant.
func (w *Writer) Time(name string, value time.Time) {
	w.name(name)
	w.text = append(value.AppendFormat(append(w.text, '"'), time.RFC3339Nano), '"')
}

// OmitTime is [Writer.Time] for what may never have been.
func (w *Writer) OmitTime(name string, value time.Time) {
	if !value.IsZero() {
		w.Time(name, value)
	}
}

// Array writes bytes as encoding/json writes an array of them: a number each.
func (w *Writer) Array(name string, value []byte) {
	w.name(name)
	before := byte('[')
	for _, b := range value {
		w.text = strconv.AppendUint(append(w.text, before), uint64(b), 10)
		before = ','
	}
	w.text = append(w.text, ']')
}

// Object writes what another writer wrote.
func (w *Writer) Object(name string, value []byte) {
	w.name(name)
	w.text = append(w.text, value...)
}

func appendString(text []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			var out bytes.Buffer
			enc := json.NewEncoder(&out)
			enc.SetEscapeHTML(false)
			_ = enc.Encode(s) // a text, into memory
			return append(text, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
		}
	}
	text = append(text, '"')
	text = append(text, s...)
	return append(text, '"')
}

// Reader reads one object; see [Read].
type Reader struct {
	text   []byte // what is left
	failed bool
}

// Read calls field for each field of an object, which reads its value by one of the
// methods. It is false for all that Writer would not have written in that way, and for
// what the field function calls [Reader.Fail] for: then nothing is said about the text,
// and encoding/json is to be asked.
func Read(text []byte, field func(name []byte, r *Reader)) bool {
	r := &Reader{text: text}
	r.Object(field)
	return !r.failed && len(r.text) == 0
}

// Fail says that a field is not known.
func (r *Reader) Fail() { r.failed, r.text = true, nil }

// take reads one byte that has to be there.
func (r *Reader) take(c byte) {
	if len(r.text) == 0 || r.text[0] != c {
		r.Fail()
		return
	}
	r.text = r.text[1:]
}

// more tells whether a list goes on: after its first element with a comma.
func (r *Reader) more(first bool, end byte) bool {
	switch {
	case r.failed:
		return false
	case len(r.text) > 0 && r.text[0] == end:
		r.text = r.text[1:]
		return false
	case !first:
		r.take(',')
	}
	return !r.failed
}

// Object reads an object.
func (r *Reader) Object(field func(name []byte, r *Reader)) {
	r.take('{')
	for first := true; r.more(first, '}'); first = false {
		name := r.raw()
		r.take(':')
		if !r.failed {
			field(name, r)
		}
	}
}

// raw reads a text without escapes.
func (r *Reader) raw() []byte {
	r.take('"')
	n := bytes.IndexByte(r.text, '"')
	if n < 0 {
		r.Fail()
		return nil
	}
	text := r.text[:n]
	ascii := true
	for _, c := range text {
		if c < ' ' || c == '\\' {
			r.Fail()
			return nil
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !utf8.Valid(text) {
		r.Fail()
		return nil
	}
	r.text = r.text[n+1:]
	return text
}

// String reads a text.
func (r *Reader) String() string { return string(r.raw()) }

// Strings reads texts.
func (r *Reader) Strings() []string {
	list := []string{}
	r.take('[')
	for first := true; r.more(first, ']'); first = false {
		list = append(list, r.String())
	}
	return list
}

// Int reads a number.
func (r *Reader) Int() int64 {
	n := 0
	for n < len(r.text) && (r.text[n] == '-' || r.text[n] >= '0' && r.text[n] <= '9') {
		n++
	}
	// JSON has no zeros before a number.
	if digits := bytes.TrimPrefix(r.text[:n], []byte("-")); len(digits) > 1 && digits[0] == '0' {
		r.Fail()
		return 0
	}
	v, err := strconv.ParseInt(string(r.text[:n]), 10, 64)
	if err != nil {
		r.Fail()
		return 0
	}
	r.text = r.text[n:]
	return v
}

// Bool reads true.
func (r *Reader) Bool() bool {
	const text = "true"
	if !bytes.HasPrefix(r.text, []byte(text)) {
		r.Fail()
		return false
	}
	r.text = r.text[len(text):]
	return true
}

// Time reads an instant.
func (r *Reader) Time() (t time.Time) {
	if err := t.UnmarshalText(r.raw()); err != nil {
		r.Fail()
	}
	return t
}

// Array fills bytes from an array of as many numbers.
func (r *Reader) Array(into []byte) {
	r.take('[')
	n := 0
	for first := true; r.more(first, ']'); first = false {
		v := r.Int()
		if v < 0 || v > 255 || n == len(into) {
			r.Fail()
			return
		}
		into[n] = byte(v)
		n++
	}
	if n != len(into) {
		r.Fail()
	}
}
