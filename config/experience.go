package config

import (
	"context"
	"encoding/json"
	"time"

	"go.yaml.in/yaml/v3"

	"idp/store"
)

// Experience is the sign-in experience, in the form that the management API gives it.
type Experience struct{ store.Experience }

// UnmarshalYAML implements yaml.Unmarshaler by way of JSON, whose names it has.
func (e *Experience) UnmarshalYAML(n *yaml.Node) error {
	e.Experience = store.DefaultExperience()
	return throughJSON(n, &e.Experience)
}

// MarshalYAML implements yaml.Marshaler.
func (e Experience) MarshalYAML() (any, error) { return writable(plain(e.Experience)), nil }

// MarshalJSON implements json.Marshaler, for the comparison.
func (e Experience) MarshalJSON() ([]byte, error) { return json.Marshal(e.Experience) }

func (in Instance) loadExperience(ctx context.Context, f *File) error {
	e, err := in.Admin.Experience(ctx)
	f.Experience = &Experience{e}
	return err
}

func (in Instance) planExperience(ctx context.Context, p *Plan, there, wanted File, _ bool) error {
	if wanted.Experience == nil {
		return nil
	}
	const name = "experience"
	if e := wanted.Experience.Clone(); in.Admin.CheckExperience(&e) == nil { // else the try says what is wrong
		wanted.Experience.Experience = e
	}
	return section[Experience]{
		name: name, key: func(Experience) string { return name }, there: []Experience{*there.Experience},
		update: func(ctx context.Context, _, after Experience) error {
			_, err := in.Admin.UpdateExperience(ctx, in.By, time.Time{}, func(e *store.Experience) error {
				version := e.UpdatedAt
				*e = after.Clone()
				e.UpdatedAt = version
				return nil
			})
			return err
		},
	}.plan(ctx, p, []Experience{*wanted.Experience}, false)
}
