package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"idp/store"
)

// object is a JSON object of the operator's, kept as it was written. Nil is shown as {}.
type object json.RawMessage

// UnmarshalJSON implements json.Unmarshaler.
func (o *object) UnmarshalJSON(b []byte) error {
	*o = append(object{}, b...)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("{}"), nil
	}
	return o, nil
}

// Schema implements huma.SchemaProvider.
func (o object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// compact is the object without the spaces between.
func (o object) compact() json.RawMessage {
	var out bytes.Buffer
	if err := json.Compact(&out, o); err != nil {
		return json.RawMessage(o) // whoever checks it says so
	}
	return out.Bytes()
}

// over lays the fields of the object over those of another one.
func (o object) over(below json.RawMessage) (json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if below != nil {
		if err := json.Unmarshal(below, &fields); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal(o, &fields); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

// profile is a profile as it was sent: which fields it has is known.
type profile struct{ sent json.RawMessage }

// UnmarshalJSON implements json.Unmarshaler.
func (p *profile) UnmarshalJSON(b []byte) error {
	p.sent = append(json.RawMessage{}, b...)
	return json.Unmarshal(b, new(store.Profile))
}

// Schema implements huma.SchemaProvider.
func (p profile) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[store.Profile](), true, "")
}

// onto lays the fields that were sent over those of another profile; null removes one. An
// address is one field.
func (p profile) onto(target *store.Profile) {
	fields := map[string]json.RawMessage{}
	_ = json.Unmarshal(p.sent, &fields) // it was read before
	if _, has := fields["address"]; has {
		target.Address = nil
	}
	for name, value := range fields {
		if name != "address" && bytes.Equal(value, []byte("null")) {
			fields[name] = json.RawMessage(`""`)
		}
	}
	text, err := json.Marshal(fields)
	if err == nil {
		_ = json.Unmarshal(text, target)
	}
}

// foreign is a field of Logto's that is not kept here: null is what it is, and anything
// else is refused by the handler.
type foreign struct{ given bool }

// UnmarshalJSON implements json.Unmarshaler.
func (f *foreign) UnmarshalJSON(b []byte) error {
	f.given = !bytes.Equal(b, []byte("null"))
	return nil
}

// Schema implements huma.SchemaProvider.
func (f foreign) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Not kept here: anything but null is refused"}
}
