package shell

import (
	"fmt"
	"strings"
)

// Field is what the parts "input", "area", "select", "check" and "choice" show.
type Field struct {
	Name, Label, Hint string
	Value, Error      string
	On                bool              // of a box: it is ticked
	Is                map[string]string // what else is particular, by the names in particulars
	Options           []Option
}

// Option is a choice of a select or of radio buttons.
type Option struct {
	Value, Name, Hint string
	On                bool
}

// particulars are what a template may say of a field besides.
var particulars = []string{"type", "placeholder", "autocomplete", "inputmode", "min", "max", "rows", "value", "required", "readonly", "optional", "narrow", "mono", "cards", "check", "maxlength"}

// hasForm is a view with a form.
type hasForm interface{ form() Form }

func (f Form) form() Form { return f }

// newField is the template function field: of a view's form, the field's name, its label,
// its hint ("" for none), and pairs of what is particular ("type" "url" "required" "1").
// Options of a select come as a []Option, whatever place they are in.
func newField(view any, name, label, hint string, more ...any) (Field, error) {
	holder, ok := view.(hasForm)
	if !ok {
		return Field{}, fmt.Errorf("field %s: %T has no form", name, view)
	}
	form := holder.form()
	f := Field{Name: name, Label: label, Hint: hint, Value: form.Value(name), Error: form.Error(name), Is: map[string]string{}}
	for _, p := range particulars {
		f.Is[p] = ""
	}
	for i := 0; i < len(more); i++ {
		if options, ok := more[i].([]Option); ok {
			for _, o := range options {
				o.On = form.Has(name, o.Value)
				f.Options = append(f.Options, o)
			}
			continue
		}
		key, ok := more[i].(string)
		if !ok || i+1 == len(more) {
			return f, fmt.Errorf("field %s: %v has no value", name, more[i])
		}
		if _, known := f.Is[key]; !known {
			return f, fmt.Errorf("field %s: nothing is known of %q", name, key)
		}
		i++
		f.Is[key] = fmt.Sprint(more[i])
	}
	value := f.Is["value"]
	if value == "" {
		value = "1"
	}
	f.On = form.Has(name, value)
	return f, nil
}

// ID is the id of its control: a name may be many controls'.
func (f Field) ID() string {
	id := "f-" + strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(f.Name)
	if v := f.Is["value"]; v != "" {
		id += "-" + strings.NewReplacer(" ", "-", ":", "-", "/", "-").Replace(v)
	}
	return id
}

// Type is the type of an input.
func (f Field) Type() string {
	if t := f.Is["type"]; t != "" {
		return t
	}
	return "text"
}

// Rows are the lines of a text area.
func (f Field) Rows() string {
	if rows := f.Is["rows"]; rows != "" {
		return rows
	}
	return "4"
}

// Described is what describes the control: ids, for aria-describedby.
func (f Field) Described() string {
	var ids []string
	if f.Error != "" {
		ids = append(ids, f.ID()+"-error")
	}
	if f.Hint != "" {
		ids = append(ids, f.ID()+"-hint")
	}
	return strings.Join(ids, " ")
}

// newDict is the template function dict: values by name, for a part that needs several.
// What parts can do without is there, empty.
func newDict(pairs ...any) (map[string]any, error) {
	out := map[string]any{"wrong": "", "href": "", "button": "", "kind": "", "id": "", "fields": map[string]string(nil)}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %v has no value", pairs[len(pairs)-1])
	}
	return out, nil
}
