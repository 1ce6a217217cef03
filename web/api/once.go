package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"

	"github.com/danielgtaylor/huma/v2"
)

// formats are JSON whose objects have each name once (RFC 8259 section 4 leaves open what
// another means, and whoever looks at a body on its way here may see the other one).
func formats() map[string]huma.Format {
	once := huma.DefaultJSONFormat
	once.Unmarshal = func(data []byte, v any) error {
		if err := json.Unmarshal(data, v); err != nil {
			return err
		}
		return namesOnce(data)
	}
	all := maps.Clone(huma.DefaultFormats)
	for name := range all {
		all[name] = once
	}
	return all
}

// namesOnce tells which name is twice in one object of well-formed JSON.
func namesOnce(text []byte) error {
	type level struct {
		names map[string]bool // nil in a list
		value bool            // the next token is the value of a name
	}
	var in []level
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		top := len(in) - 1
		if name, ok := token.(string); ok && top >= 0 && in[top].names != nil && !in[top].value {
			if in[top].names[name] {
				return fmt.Errorf("%.80q is there twice", name)
			}
			in[top].names[name], in[top].value = true, true
			continue
		}
		if top >= 0 {
			in[top].value = false
		}
		switch token {
		case json.Delim('{'):
			in = append(in, level{names: map[string]bool{}})
		case json.Delim('['):
			in = append(in, level{})
		case json.Delim('}'), json.Delim(']'):
			in = in[:top]
		}
	}
}
