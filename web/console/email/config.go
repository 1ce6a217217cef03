package email

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idp/admin"
	"idp/web/console/shell"
)

// input is a field of a configuration, as the form shows it. Its name in the form is Name.
type input struct {
	admin.FormField
	Name string
	More bool // most do without it
}

// first are the fields of each kind that most fill in; the others stand behind "More settings".
var first = []string{"accessKeyId", "accessKeySecret", "region", "emailAddress", "host", "port", "auth", "auth.user", "auth.pass", "fromEmail", "secure", "url", "signingKey"}

// says are hints of the console's own.
var says = map[string]string{
	"accessKeySecret": shell.N("Amazon shows it once, when the key is made."),
	"region":          shell.N("The one in which you have verified the domain."),
	"emailAddress":    shell.N("An address of that domain, with the name that people see."),
	"fromEmail":       shell.N("With the name that people see. The server has to let you use the address."),
	"port":            shell.N("Empty: 587, or 465 with TLS from the first byte."),
	"templates":       shell.N("JSON, as Logto’s connectors have it. Most leave it empty, and word single mails under Templates."),
}

// Optional is "1" where it is worth saying that the field can be left empty.
func (i input) Optional() string { return map[bool]string{true: "1"}[i.More && !i.Required] }

// InputType is the type of its control.
func (i input) InputType() string { return map[bool]string{true: "password", false: "text"}[i.Secret] }

// Complete keeps browsers from filling in, or keeping, what is nobody's password.
func (i input) Complete() string {
	return map[bool]string{true: "new-password", false: "off"}[i.Secret]
}

// Mode is the keyboard that phones show.
func (i input) Mode() string { return map[string]string{"Number": "decimal"}[i.Type] }

// The two views of a configuration. Both edit the same: what the form has no field for stays as it is.
const (
	viewForm = "form"
	viewJSON = "json"
)

// inputs are the fields for a kind of connector. Where a mail server is signed in to by a name and
// a password, these have fields of their own; wholeAuth says that they have not.
func inputs(f admin.Factory, wholeAuth bool) (out []input) {
	for _, one := range f.Form {
		if one.Key == "auth" && !wholeAuth {
			out = append(out,
				input{FormField: admin.FormField{Key: "auth.user", Label: shell.N("User name"), Type: "Text", Help: shell.N("Leave it empty if the server asks for none.")}, Name: "c.auth.user"},
				input{FormField: admin.FormField{Key: "auth.pass", Label: shell.N("Password"), Type: "Text", Secret: true}, Name: "c.auth.pass"})
			continue
		}
		one.Help = cmp.Or(says[one.Key], one.Help)
		out = append(out, input{FormField: one, Name: "c." + one.Key, More: !slices.Contains(first, one.Key)})
	}
	return out
}

// isWholeAuth tells that a sign-in is more than a name and a password.
func isWholeAuth(config map[string]any) bool {
	auth, ok := config["auth"].(map[string]any)
	if !ok {
		return config["auth"] != nil
	}
	for key, value := range auth {
		if _, text := value.(string); !text || key != "user" && key != "pass" {
			return true
		}
	}
	return false
}

// formValues puts a configuration into the fields of the form, and what they do not have into config.
func formValues(fields []input, config map[string]any) url.Values {
	values, rest := url.Values{}, maps.Clone(config)
	if rest == nil {
		rest = map[string]any{}
	}
	for _, f := range fields {
		values.Set(f.Name, fieldText(f, at(config, f.Key)))
		outer, _, _ := strings.Cut(f.Key, ".")
		delete(rest, outer)
	}
	values.Set("config", shell.PrettyJSON(rest))
	return values
}

// at is the value under a key, which may be one in an object ("auth.user").
func at(config map[string]any, key string) any {
	outer, inner, deep := strings.Cut(key, ".")
	if !deep {
		return config[outer]
	}
	object, _ := config[outer].(map[string]any)
	return object[inner]
}

func put(config map[string]any, key string, value any) {
	outer, inner, deep := strings.Cut(key, ".")
	if !deep {
		config[outer] = value
		return
	}
	object, _ := config[outer].(map[string]any)
	if object == nil {
		object = map[string]any{}
		config[outer] = object
	}
	object[inner] = value
}

func fieldText(f input, value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		if f.Type != "Json" {
			return v
		}
	case bool:
		if f.Type == "Switch" {
			return map[bool]string{true: "1"}[v]
		}
	case float64:
		if f.Type != "Json" {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return shell.PrettyJSON(value)
}

// typed is the configuration that was sent, in either view. What cannot be read is told in the
// form; false then.
func typed(v *shell.Visit, fields []input, form *shell.Form) (map[string]any, bool) {
	config := map[string]any{}
	if v.Form.Get("view") == viewJSON {
		if wrong := v.ReadJSON(v.Form.Get("config"), &config); wrong != "" {
			form.Reject("config", wrong)
			return nil, false
		}
		if config == nil { // null
			config = map[string]any{}
		}
		return config, true
	}
	if wrong := v.ReadJSON(v.Form.Get("config"), &config); wrong != "" || config == nil {
		config = map[string]any{}
	}
	for _, f := range fields {
		text := strings.TrimSpace(v.Form.Get(f.Name))
		if text == "" {
			continue
		}
		switch f.Type {
		case "Number":
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				form.Reject(f.Name, v.T("This is not a number."))
				continue
			}
			put(config, f.Key, n)
		case "Switch":
			put(config, f.Key, true)
		case "Json":
			var value any
			if wrong := v.ReadJSON(text, &value); wrong != "" {
				form.Reject(f.Name, wrong)
				continue
			}
			put(config, f.Key, value)
		default:
			put(config, f.Key, text)
		}
	}
	return config, len(form.Errors) == 0
}
