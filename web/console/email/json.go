package email

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

// readJSON reads one JSON value of the type of out; nil if it could.
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

// pretty writes JSON as people edit it.
func pretty(value any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // <p> stays <p>
	enc.SetIndent("", "  ")
	if enc.Encode(value) != nil { // of maps, lists and texts: cannot fail
		return ""
	}
	return strings.TrimRight(b.String(), "\n")
}
