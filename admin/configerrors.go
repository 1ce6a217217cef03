package admin

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"idp/mailer"
	"idp/store"
)

// ConfigErrors is why a configuration does not work: all reasons, each with the field that
// it is about.
type ConfigErrors struct {
	store.FieldError                    // all in one, of the field "config"
	Fields           []store.FieldError // Field is a key of the configuration; "" for the whole
}

// Unwrap lets errors.As find the whole as a [store.FieldError].
func (e *ConfigErrors) Unwrap() error { return &e.FieldError }

// configErrors takes the error of a connector's factory apart. Its reasons begin with the
// name of the field that they are about, which is the first key of the factory's form
// that has it.
func configErrors(id string, err error) *ConfigErrors {
	out := &ConfigErrors{FieldError: store.FieldError{Field: "config", Reason: err.Error()}}
	text := strings.TrimPrefix(err.Error(), `configuration of connector "`+id+`": `)
	for _, line := range strings.Split(text, "\n") {
		line = withoutExample(line)
		word := line
		if i := strings.IndexAny(line, " .:[\""); i >= 0 {
			word = line[:i]
		}
		i := slices.IndexFunc(out.Fields, func(f store.FieldError) bool { return f.Field == "templates" })
		switch {
		case isKey(id, word):
			out.Fields = append(out.Fields, store.FieldError{Field: word, Reason: line})
		case strings.HasPrefix(line, "Template with UsageType") || strings.HasPrefix(line, "json: ") && strings.Contains(line, ".templates"):
			out.Fields = append(out.Fields, store.FieldError{Field: "templates", Reason: line})
		case i >= 0: // further lines about one template
			out.Fields[i].Reason += "\n" + line
		default:
			out.Fields = append(out.Fields, store.FieldError{Reason: line})
		}
	}
	return out
}

var (
	wrongKind    = regexp.MustCompile(`^json: cannot unmarshal (\w+).* into Go struct field \w+\.(\w+)`)
	unknownField = regexp.MustCompile(`^json: unknown field (".*")$`)
)

// withoutExample is a reason that begins with what a configuration looks like ("not {…}: ")
// without that, and of what a JSON decoder says what people need of it.
func withoutExample(line string) string {
	if _, reason, ok := strings.Cut(line, "}: "); ok && strings.HasPrefix(line, "not {") {
		line = reason
	}
	if m := wrongKind.FindStringSubmatch(line); m != nil && m[2] != "templates" {
		return m[2] + " cannot be of the JSON type " + m[1]
	}
	if m := unknownField.FindStringSubmatch(line); m != nil {
		return "there is no setting " + m[1]
	}
	return line
}

func isKey(id, word string) bool {
	i := slices.IndexFunc(factories, func(f Factory) bool { return f.ID == id })
	return i >= 0 && slices.ContainsFunc(factories[i].Form, func(f FormField) bool { return f.Key == word })
}

// ConfigWarnings tells what is probably not meant in a configuration that works.
func ConfigWarnings(config map[string]any) []string {
	list, ok := config["templates"]
	if !ok {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil
	}
	var own []mailer.OwnTemplate
	if json.Unmarshal(text, &own) != nil { // the connector's factory says why
		return nil
	}
	return mailer.OwnWarnings(own)
}
