package op

import (
	"bytes"
	"encoding/json"

	"idp/keyring"
	"idp/store"
)

// contents are what is in the URL parameter r and the field o. Fields are only ever
// added, so that both stay readable one release back and forward; V moves when that is
// not possible.
type contents struct {
	V     int    `json:"v"`
	Value any    `json:"q"`
	State []byte `json:"b,omitempty"` // a state that is not plain ASCII: JSON would change its bytes
}

// seal makes text of a value, for one browser. state is the value's own.
func seal(by *keyring.Sealer, browser store.Hash, value any, state *string) string {
	c := contents{V: 1, Value: value}
	if !isVSCHAR(*state) {
		c.State, *state = []byte(*state), ""
	}
	if req, ok := value.(*store.AuthRequest); ok && c.State == nil {
		return encode(by.Seal(written(req), browser[:]))
	}
	return encode(by.Seal(compact(c), browser[:]))
}

// open reads a value that [seal] made text of; false if it was changed or belongs to
// another browser.
func open(by *keyring.Sealer, browser store.Hash, sealed string, value any, state *string) bool {
	if len(sealed) > 4*maxQuery {
		return false
	}
	raw, err := store.DecodeBase64URL(sealed)
	if err != nil {
		return false
	}
	text, err := by.Open(raw, browser[:])
	if err != nil {
		return false
	}
	if req, ok := value.(*store.AuthRequest); ok {
		if read(text, req) {
			return true
		}
		*req = store.AuthRequest{}
	}
	c := contents{Value: value}
	if err := json.Unmarshal(text, &c); err != nil || c.V != 1 {
		return false
	}
	if c.State != nil {
		*state = string(c.State)
	}
	return true
}

// compact writes JSON for our own eyes: escaping for HTML would make six bytes of an
// ampersand.
func compact(v any) []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // strings and numbers only
	}
	return bytes.TrimSpace(text.Bytes())
}

// isVSCHAR tells whether s is what RFC 6749 appendix A.5 says of a state:
// printable ASCII.
func isVSCHAR(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
