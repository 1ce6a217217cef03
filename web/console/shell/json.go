package shell

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// notJSON is why a text cannot be read as JSON, and where.
type notJSON struct {
	line, column int // from 1; the column counts characters
	reason       string
}

// ReadJSON reads a typed text, one JSON value of the type of out. If it cannot, wrong says what
// is wrong with it, and where.
func (v *Visit) ReadJSON(text string, out any) (wrong string) {
	if why := readJSON(text, out); why != nil {
		return v.T("Line %d, column %d: %s.", why.line, why.column, v.T(why.reason))
	}
	return ""
}

// CustomData reads what programs keep with an app or a person. Nothing at all, and {}, stand for
// none. Whether it is an object is package admin's to say.
func (v *Visit) CustomData(text string) (data json.RawMessage, wrong string) {
	if text == "" {
		return nil, ""
	}
	var whole json.RawMessage
	if wrong = v.ReadJSON(text, &whole); wrong != "" {
		return nil, wrong
	}
	var b bytes.Buffer
	if json.Compact(&b, whole) != nil || b.String() == "{}" { // it was read: it can be written
		return nil, ""
	}
	return b.Bytes(), ""
}

func readJSON(text string, out any) *notJSON {
	dec := json.NewDecoder(strings.NewReader(text))
	err := dec.Decode(out)
	at := dec.InputOffset()
	if err == nil {
		if _, more := dec.Token(); errors.Is(more, io.EOF) {
			return nil
		}
		rest := text[at:]
		at += int64(len(rest) - len(strings.TrimLeft(rest, " \t\r\n")))
		return where(text, at, "there is more after the end")
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return where(text, max(syntax.Offset-1, 0), strings.TrimPrefix(syntax.Error(), "json: "))
	case errors.As(err, &kind):
		return where(text, max(kind.Offset-1, 0), fmt.Sprintf("%s does not belong here", kind.Value))
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return where(text, int64(len(text)), "it ends too early")
	}
	return where(text, at, strings.TrimPrefix(err.Error(), "json: "))
}

func where(text string, at int64, reason string) *notJSON {
	before := text[:min(int(at), len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return &notJSON{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:]), reason}
}

// PrettyJSON writes a value as people edit it.
func PrettyJSON(value any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // <p> stays <p>
	enc.SetIndent("", "  ")
	if enc.Encode(value) != nil { // of maps, lists and texts: cannot fail
		return ""
	}
	return strings.TrimRight(b.String(), "\n")
}
