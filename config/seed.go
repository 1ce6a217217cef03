package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"idp/admin/bulk"
)

// Seed is what an instance for development starts with: a configuration, and people. Its
// secrets may be in the file itself, {value: TEXT}: everybody knows them.
type Seed struct {
	File `yaml:",inline"`

	Users []person `yaml:"users,omitempty"` // with the fields that idp user import takes
}

// person is somebody as JSON, in the form that package bulk reads.
type person struct {
	line int
	text []byte
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *person) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a person is an object with fields: email, name, …", n.Line)
	}
	tree, err := treeOf(n)
	if err != nil {
		return err
	}
	p.line = n.Line
	p.text, err = json.Marshal(tree)
	return err
}

// ReadSeed reads a seed. What is wrong with a person by itself is an error, too.
func ReadSeed(r io.Reader) (s Seed, err error) {
	s.root, err = read(r, &s, slices.Concat(sections, []string{"users"}))
	if err != nil {
		return Seed{}, err
	}
	people, err := s.people()
	for err == nil {
		var refused *bulk.Refusal
		switch _, _, err = people.Next(); {
		case errors.Is(err, io.EOF):
			return s, nil
		case errors.As(err, &refused):
			err = s.refused(*refused)
		}
	}
	return Seed{}, err
}

// people reads them; the line that it tells is their place in the list, from 1.
func (s Seed) people() (*bulk.Reader, error) {
	var text bytes.Buffer
	for _, p := range s.Users {
		text.Write(p.text)
		text.WriteByte('\n')
	}
	return bulk.NewReader(&text, bulk.Lines, false)
}

// refused names the line of the seed.
func (s Seed) refused(r bulk.Refusal) error {
	r.Line = s.Users[r.Line-1].line
	return &r
}

// Sown says what a seed has done.
type Sown struct {
	Plan   *Plan
	People bulk.Counts

	// Left are people who are there already and have become different: they stay as they are.
	Left []error
}

// Sow makes an instance as a seed says. What is there already and right is left alone; what
// the seed does not list stays. An error names the line of the seed.
func (in Instance) Sow(ctx context.Context, s Seed) (out Sown, err error) {
	in.Open = true
	if out.Plan, err = in.Plan(ctx, s.File, false); err == nil {
		err = out.Plan.Apply(ctx, out.Plan.Noted)
	}
	if err != nil {
		if line := s.Line(err); line > 0 {
			err = fmt.Errorf("line %d: %w", line, err)
		}
		return out, err
	}
	people, err := s.people()
	if err != nil {
		return out, err
	}
	im := &bulk.Importer{Service: in.Admin, By: in.By, Step: func(bulk.Counts) {}}
	var wrong []error
	im.Refuse = func(r bulk.Refusal) error {
		if r.There {
			out.Left = append(out.Left, s.refused(r))
		} else {
			wrong = append(wrong, s.refused(r))
		}
		return nil
	}
	if len(s.Users) > 0 {
		out.People, err = im.Run(ctx, people)
	}
	return out, errors.Join(err, errors.Join(wrong...))
}
