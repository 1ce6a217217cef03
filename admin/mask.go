package admin

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"idp/audit"
)

// Mask stands for a secret wherever a configuration is shown.
const Mask = "********"

// secretKeys are fields of configurations whose values are nobody's business: any whose
// name, in lower case, ends in one of these.
var secretKeys = []string{"secret", "pass", "password", "privatekey", "signingkey", "token", "apikey", "authorization"}

func isSecret(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(secretKeys, func(s string) bool { return strings.HasSuffix(key, s) })
}

// masked is a copy of a configuration with Mask in the place of its secrets. key is the
// field that v is the value of.
func masked(key string, v any) any {
	if isSecret(key) && v != nil && v != "" {
		return Mask
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[k] = masked(k, one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = masked("", one)
		}
		return out
	case string:
		return maskedURL(v)
	}
	return v
}

// maskedURL hides the parts of a URL that may hold a token.
func maskedURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery == "" && u.User == nil {
		return text
	}
	if u.RawQuery != "" {
		u.RawQuery = Mask
	}
	if u.User != nil {
		u.User = url.User(Mask)
	}
	return u.String()
}

// unmasking puts the secrets of a saved configuration where a new one has what stands for
// them.
type unmasking struct {
	kept bool   // there was one
	left string // field with a mask that stands for nothing
}

// fill gives v, the value of a field, with the secrets of old.
func (u *unmasking) fill(path, key string, v, old any) any {
	switch v := v.(type) {
	case map[string]any:
		before, _ := old.(map[string]any)
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[k] = u.fill(strings.TrimPrefix(path+"."+k, "."), k, one, before[k])
		}
		return out
	case []any:
		before, _ := old.([]any)
		out := make([]any, len(v))
		for i, one := range v {
			var was any
			if i < len(before) {
				was = before[i]
			}
			out[i] = u.fill(path, "", one, was)
		}
		return out
	case string:
		if old != nil && !reflect.DeepEqual(v, old) && reflect.DeepEqual(masked(key, old), v) {
			u.kept = true
			return old
		}
		if isSecret(key) && v == Mask || strings.HasSuffix(v, "?"+Mask) || strings.Contains(v, "://"+url.User(Mask).String()+"@") {
			u.left = path
		}
	}
	return v
}

// harmless are the fields of configurations that do not decide whom the secrets are shown
// to: these may change while the secrets are kept.
var harmless = []string{"templates", "fromEmail", "replyTo", "emailAddress", "emailAddressIdentityArn", "feedbackForwardingEmailAddress",
	"feedbackForwardingEmailAddressIdentityArn", "configurationSetName", "region", "connectionTimeout", "socketTimeout", "idleTimeout", "timeout",
	"maxConnections", "maxMessages", "maxPerSecond"}

// elsewhere names a field that differs between two configurations and is not harmless, or
// "". Who may set a connector up may not read its secrets by having them sent somewhere
// else.
func elsewhere(a, b map[string]any) string {
	for _, from := range []map[string]any{a, b} {
		for k := range from {
			if !slices.Contains(harmless, k) && !reflect.DeepEqual(a[k], b[k]) {
				return k
			}
		}
	}
	return ""
}

// configChanges is what the audit log tells of a change: never a secret, only that one
// changed, and of templates, which are long, the same.
func configChanges(before, after map[string]any) map[string]any {
	out := audit.Changes(plainPart(before), plainPart(after))
	from, to := map[string]any{}, map[string]any{}
	secretPart("", "", before, from)
	secretPart("", "", after, to)
	if !reflect.DeepEqual(from, to) {
		out["secrets"] = "changed"
	}
	if !reflect.DeepEqual(before["templates"], after["templates"]) {
		out["templates"] = "changed"
	}
	return out
}

func plainPart(config map[string]any) any {
	if config == nil {
		return nil
	}
	rest := maps.Clone(config)
	delete(rest, "templates")
	return masked("", rest)
}

// secretPart collects what masked hides.
func secretPart(path, key string, v any, out map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		for k, one := range v {
			secretPart(path+"."+k, k, one, out)
		}
		return
	case []any:
		for _, one := range v {
			secretPart(path+".*", "", one, out)
		}
		return
	}
	if !reflect.DeepEqual(masked(key, v), v) {
		out[path] = v
	}
}

// Masked is a configuration with [Mask] in the place of its secrets.
func Masked(config map[string]any) map[string]any {
	out, _ := masked("", config).(map[string]any)
	return out
}
