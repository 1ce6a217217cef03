package settings

import (
	"fmt"
	"reflect"
)

// InForce is a setting as it holds.
type InForce struct{ Variable, Value string }

// InForce gives the settings of a group ("otp", "limit", "ttl"), in the order of their help.
func (s *Server) InForce(group string) (out []InForce) {
	v := reflect.ValueOf(*s)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.Tag.Get("group") != group {
			continue
		}
		out = append(out, InForce{Variable(Key(f.Tag.Get("name"))), fmt.Sprint(v.FieldByIndex(f.Index))})
	}
	return out
}
