package config

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"idp/admin"
)

// Connector is one that mails go through. In its configuration {env: NAME}, {file: PATH} and
// {stored: true} stand where a secret is.
type Connector struct {
	ID     string `yaml:"id" json:"-"` // of its factory: aws-ses-mail, smtp, http, inbox
	Config Object `yaml:"config,omitempty"`
}

// reference reads what stands where a secret is; false if it is something else.
func reference(v any) (Secret, bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return Secret{}, false
	}
	for key := range m {
		if !slices.Contains([]string{"env", "file", "stored", "value"}, key) {
			return Secret{}, false
		}
	}
	text, err := yaml.Marshal(m)
	var s Secret
	return s, err == nil && yaml.Unmarshal(text, &s) == nil && s.set()
}

func (s Secret) set() bool { return s != Secret{} }

// MarshalJSON implements json.Marshaler, for the comparison.
func (c Connector) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"config": replaced(map[string]any(c.Config), func(Secret) any { return Secret{} })})
}

// replaced is a copy of a configuration with something else in the place of references.
func replaced(v any, by func(Secret) any) any {
	if s, ok := reference(v); ok {
		return by(s)
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[k] = replaced(one, by)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = replaced(one, by)
		}
		return out
	}
	return v
}

// referring is a copy of a masked configuration with references in the place of masks.
func referring(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[k] = referring(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = referring(one)
		}
		return out
	case string:
		if strings.Contains(v, admin.Mask) {
			return map[string]any{"stored": true}
		}
	}
	return v
}

func (in Instance) loadConnectors(ctx context.Context, f *File) error {
	found, err := in.Admin.Connectors(ctx)
	if err != nil {
		return err
	}
	f.Connectors = []Connector{}
	for _, c := range found {
		config, _ := referring(c.Config).(map[string]any)
		f.Connectors = append(f.Connectors, Connector{c.ID, config})
	}
	return nil
}

// resolve puts secrets into a configuration. What is stored becomes the mask that package
// admin knows, taken from before, which has the same shape where that works.
func (in Instance) resolve(c Connector, before any) (map[string]any, error) {
	var first error
	var walk func(path string, v, before any) any
	walk = func(path string, v, before any) any {
		if s, ok := reference(v); ok {
			if s.Stored {
				text, _ := before.(string)
				if !strings.Contains(text, admin.Mask) && first == nil {
					first = fmt.Errorf("%s: %w", path, errNotStored)
				}
				return text
			}
			text, err := in.secret(s)
			if err != nil && first == nil {
				first = fmt.Errorf("%s: %w", path, err)
			}
			return text
		}
		switch v := v.(type) {
		case map[string]any:
			was, _ := before.(map[string]any)
			out := make(map[string]any, len(v))
			for k, one := range v {
				out[k] = walk(strings.TrimPrefix(path+"."+k, "."), one, was[k])
			}
			return out
		case []any:
			was, _ := before.([]any)
			out := make([]any, len(v))
			for i, one := range v {
				var b any
				if i < len(was) {
					b = was[i]
				}
				out[i] = walk(fmt.Sprintf("%s[%d]", path, i), one, b)
			}
			return out
		}
		return v
	}
	out, _ := walk("", map[string]any(c.Config), before).(map[string]any)
	return out, first
}

// settled is a copy of a configuration with what is no secret in the place of references to
// it, where it is the same as before: a host may be in the environment, too.
func (in Instance) settled(v, before any) any {
	if s, ok := reference(v); ok {
		text, is := before.(string)
		if got, err := in.secret(s); is && err == nil && !s.Stored && got == text {
			return text
		}
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		was, _ := before.(map[string]any)
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[k] = in.settled(one, was[k])
		}
		return out
	case []any:
		was, _ := before.([]any)
		out := make([]any, len(v))
		for i, one := range v {
			var b any
			if i < len(was) {
				b = was[i]
			}
			out[i] = in.settled(one, b)
		}
		return out
	}
	return v
}

// inTheOpen names a secret that stands in a configuration itself, "" if there is none.
func inTheOpen(config map[string]any) string {
	var found string
	var walk func(path string, v, masked any)
	walk = func(path string, v, masked any) {
		if _, ok := reference(v); ok {
			return
		}
		m, isObject := masked.(map[string]any)
		l, isList := masked.([]any)
		switch v := v.(type) {
		case map[string]any:
			for k, one := range v {
				walk(strings.TrimPrefix(path+"."+k, "."), one, m[k])
			}
			if isObject {
				return
			}
		case []any:
			for i, one := range v[:min(len(v), len(l))] {
				walk(path, one, l[i])
			}
			if isList {
				return
			}
		}
		if !reflect.DeepEqual(v, masked) { // a part of it, or all
			found = path
		}
	}
	walk("", config, admin.Masked(config))
	return found
}

func (in Instance) planConnectors(ctx context.Context, p *Plan, there, wanted File, prune bool) error {
	if wanted.Connectors == nil {
		return nil
	}
	masked, err := in.Admin.Connectors(ctx)
	if err != nil {
		return err
	}
	before := func(id string) any {
		i := slices.IndexFunc(masked, func(c admin.Connector) bool { return c.ID == id })
		if i < 0 {
			return nil
		}
		return masked[i].Config
	}
	for i := range wanted.Connectors {
		c := &wanted.Connectors[i]
		factory, err := in.Admin.Factory(c.ID)
		if err != nil {
			var ids []string
			for _, f := range in.Admin.Factories() {
				ids = append(ids, f.ID)
			}
			return wrap("connectors", c.ID, fmt.Errorf("there is no such connector here: %s are those that there are", strings.Join(ids, ", ")))
		}
		c.ID = factory.ID // not Logto's
		if c.Config == nil {
			c.Config = map[string]any{}
		}
		c.Config, _ = in.settled(map[string]any(c.Config), before(c.ID)).(map[string]any)
		if path := inTheOpen(c.Config); path != "" {
			return wrap("connectors", c.ID, fmt.Errorf("config.%s: is a secret: write {env: NAME} or {file: PATH} in its place", path))
		}
		if _, err := in.resolve(*c, before(c.ID)); err != nil {
			return wrap("connectors", c.ID, err)
		}
	}
	err = section[Connector]{
		name: "connectors", key: func(c Connector) string { return c.ID }, there: there.Connectors,
		create: func(ctx context.Context, c Connector) (string, error) {
			config, err := in.resolve(c, nil)
			if err == nil {
				_, err = in.Admin.SetConnector(ctx, in.By, c.ID, config)
			}
			return "", in.made(err)
		},
		update: func(ctx context.Context, _, c Connector) error {
			config, err := in.resolve(c, before(c.ID))
			if err == nil {
				_, err = in.Admin.UpdateConnector(ctx, in.By, c.ID, time.Time{}, config)
			}
			return err
		},
		alike: func(ctx context.Context, _, c Connector) (bool, error) {
			config, err := in.resolve(c, before(c.ID))
			if err != nil {
				return false, err
			}
			return in.Admin.IsConnector(ctx, c.ID, config)
		},
		remove: func(ctx context.Context, c Connector) error {
			return in.Admin.DeleteConnector(ctx, in.By, c.ID, time.Time{})
		},
	}.plan(ctx, p, wanted.Connectors, prune)
	if err != nil {
		return err
	}
	in.planOrder(p, there, wanted)
	return nil
}

// planOrder has the connectors tried as the file lists them; those that it does not list
// come after them.
func (in Instance) planOrder(p *Plan, there, wanted File) {
	var is, made, want []string
	for _, c := range wanted.Connectors {
		want = append(want, c.ID)
		if !slices.ContainsFunc(there.Connectors, func(t Connector) bool { return t.ID == c.ID }) {
			made = append(made, c.ID)
		}
	}
	for _, c := range there.Connectors {
		is = append(is, c.ID)
	}
	after := append(reversed(made), is...) // each new one becomes the first
	if len(want) == 0 || slices.Equal(after[:len(want)], want) {
		return
	}
	p.Changes = append(p.Changes, Change{Section: "connectors", Key: "order", Action: Update,
		Before: map[string]any{"first": plain(after[:len(want)])}, After: map[string]any{"first": plain(want)},
		do: func(ctx context.Context, _ *Change) error { return in.Admin.OrderConnectors(ctx, in.By, want) }})
}

func reversed(list []string) []string {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}
