package config

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"idp/admin"
)

// Hook is a webhook. Its headers' values are secrets or plain texts.
type Hook struct {
	ID         string            `yaml:"id,omitempty" json:"-"`      // only where no name tells hooks apart
	Name       string            `yaml:"name,omitempty" json:"name"` // tells hooks apart
	Events     []string          `yaml:"events" json:"events"`
	URL        string            `yaml:"url" json:"url"`
	Headers    map[string]Header `yaml:"headers,omitempty" json:"headers,omitempty"`
	Retries    *int              `yaml:"retries,omitempty" json:"retries,omitempty"`
	Disabled   bool              `yaml:"disabled,omitempty" json:"disabled,omitempty"`
	SigningKey *Secret           `yaml:"signingKey,omitempty" json:"-"` // if it is not there: one is made, and shown

	id string
}

// Header is the value of a header.
type Header struct {
	Text   string
	Secret Secret
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (h *Header) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&h.Text)
	}
	return n.Decode(&h.Secret)
}

// MarshalYAML implements yaml.Marshaler.
func (h Header) MarshalYAML() (any, error) { return h.Secret, nil } // what is there is never shown

// MarshalJSON implements json.Marshaler, for the comparison.
func (h Header) MarshalJSON() ([]byte, error) { return json.Marshal(h.Secret) }

func (in Instance) header(h Header) (string, error) {
	switch {
	case h.Text != "":
		return h.Text, nil
	case h.Secret.Stored:
		return admin.Mask, nil
	}
	return in.secret(h.Secret)
}

func (in Instance) loadHooks(ctx context.Context, f *File) error {
	found, err := in.Admin.Hooks(ctx)
	if err != nil {
		return err
	}
	f.Hooks = []Hook{}
	for _, h := range found {
		one := Hook{id: h.ID, Name: h.Name, Events: slices.Sorted(slices.Values(h.Events)), URL: h.Config.URL, Retries: h.Config.Retries, Disabled: !h.Enabled,
			SigningKey: &Secret{Stored: true}}
		for name := range h.Config.Headers {
			if one.Headers == nil {
				one.Headers = map[string]Header{}
			}
			one.Headers[name] = Header{Secret: Secret{Stored: true}}
		}
		if namesakes := slices.DeleteFunc(slices.Clone(found), func(o admin.Hook) bool { return o.Name != h.Name }); h.Name == "" || len(namesakes) > 1 {
			one.ID = h.ID
		}
		f.Hooks = append(f.Hooks, one)
	}
	return nil
}

// key tells hooks apart: the API lets two have one name, or none.
func (h Hook) key() string { return cmp.Or(h.ID, h.Name) }

// find sees which of the hooks that are there is meant, if one is. One that has an id of its
// own, and a name that tells it apart, is known by the name.
func (h *Hook) find(there []Hook) error {
	switch _, is := find(there, func(t Hook) bool { return t.key() == h.key() }); {
	case is:
		return nil
	case h.ID != "":
		t, is := find(there, func(t Hook) bool { return t.id == h.ID })
		if !is {
			return errors.New("there is no hook with this id here: leave the id out, and give it a name that no other has")
		}
		if t.Name != h.Name {
			return fmt.Errorf("is named %s: leave the id out", t.Name)
		}
		h.ID = ""
	case slices.ContainsFunc(there, func(t Hook) bool { return t.Name == h.Name }):
		return errors.New("several have the name: say which by its id, as an export does")
	}
	return nil
}

// form is what package admin takes.
func (in Instance) form(h Hook) (f admin.HookForm, err error) {
	f = admin.HookForm{Name: h.Name, Events: h.Events, Enabled: !h.Disabled, Config: admin.HookConfig{URL: h.URL, Retries: h.Retries}}
	for name, value := range h.Headers {
		if f.Config.Headers == nil {
			f.Config.Headers = map[string]string{}
		}
		if f.Config.Headers[name], err = in.header(value); err != nil {
			return f, fmt.Errorf("headers.%s: %w", name, err)
		}
	}
	return f, nil
}

// key reads the signing key, "" for the one that the hook has, or that is made.
func (in Instance) key(h Hook) (string, error) {
	if h.SigningKey == nil {
		return "", nil
	}
	key, err := in.secret(*h.SigningKey)
	if err != nil {
		err = fmt.Errorf("signingKey: %w", err)
	}
	return key, err
}

func (in Instance) planHooks(ctx context.Context, p *Plan, there, wanted File, prune bool) error {
	if wanted.Hooks == nil {
		return nil
	}
	for i := range wanted.Hooks {
		h := &wanted.Hooks[i]
		h.Events = slices.Sorted(slices.Values(h.Events)) // they have no order
		if err := h.find(there.Hooks); err != nil {
			return wrap("hooks", h.key(), err)
		}
		isNew := !slices.ContainsFunc(there.Hooks, func(t Hook) bool { return t.key() == h.key() })
		for name, value := range maps.All(h.Headers) {
			if isNew && value.Secret.Stored {
				return wrap("hooks", h.key(), fmt.Errorf("headers.%s: %w", name, errNotStored))
			}
		}
		if isNew && h.SigningKey != nil && h.SigningKey.Stored {
			return wrap("hooks", h.key(), fmt.Errorf("signingKey: %w", errNotStored))
		}
	}
	return section[Hook]{
		name: "hooks", key: Hook.key, there: there.Hooks,
		create: func(ctx context.Context, h Hook) (string, error) {
			f, err := in.form(h)
			if err != nil {
				return "", err
			}
			key, err := in.key(h)
			if err != nil {
				return "", err
			}
			made, err := in.Admin.CreateHook(ctx, in.By, f, key)
			if err != nil || key != "" {
				return "", err
			}
			return "signing key, shown once: " + made.SigningKey, nil
		},
		update: func(ctx context.Context, before, h Hook) error {
			f, err := in.form(h)
			if err != nil {
				return err
			}
			key, err := in.key(h)
			if err != nil {
				return err
			}
			return in.Admin.ReplaceHook(ctx, in.By, before.id, f, key)
		},
		alike: func(ctx context.Context, before, h Hook) (bool, error) {
			f, err := in.form(h)
			if err != nil {
				return false, err
			}
			key, err := in.key(h)
			if err != nil {
				return false, err
			}
			return in.Admin.IsHook(ctx, before.id, f, key)
		},
		remove: func(ctx context.Context, h Hook) error { return in.Admin.DeleteHook(ctx, in.By, h.id, time.Time{}) },
	}.plan(ctx, p, wanted.Hooks, prune)
}
