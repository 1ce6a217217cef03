package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"idp/store"
)

// Action is what a change does.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is one thing that is not as the file says.
type Change struct {
	Section string `json:"section"`
	Key     string `json:"key"` // by which the section tells its things apart; its own name if there is one
	Action  Action `json:"action"`

	// The fields that differ, by dotted path: secrets stand as "(secret)".
	Before map[string]any `json:"before,omitempty"`
	After  map[string]any `json:"after,omitempty"`

	// Note is what has to be said once it is done: a secret that was made with it.
	Note string `json:"note,omitempty"`

	do    func(context.Context, *Change) error
	later func(context.Context) error // after everything was created and changed; nil: nothing
}

// Plan is what makes an instance as a file says, in the order in which it is done.
type Plan struct {
	Changes  []Change `json:"changes"`
	Same     int      `json:"unchanged"`
	Unlisted []Thing  `json:"unlisted"` // there, but not in the file, and left alone
}

// Thing names something of a section.
type Thing struct {
	Section string `json:"section"`
	Key     string `json:"key"`
}

// Apply does what is planned. done is told of each change when it is made.
func (p *Plan) Apply(ctx context.Context, done func(Change)) error {
	finish := func() error {
		for _, c := range p.Changes {
			if c.later == nil {
				continue
			}
			if err := c.later(ctx); err != nil {
				return wrap(c.Section, c.Key, err)
			}
		}
		return nil
	}
	finished := false
	for _, c := range p.Changes {
		if c.Action == Delete && !finished {
			finished = true
			if err := finish(); err != nil {
				return err
			}
		}
		if err := c.do(ctx, &c); err != nil {
			return wrap(c.Section, c.Key, err)
		}
		done(c)
	}
	if finished {
		return nil
	}
	return finish()
}

// wrap says which thing an error is about, and of a field that does not fit nothing but that.
func wrap(section, key string, err error) error {
	var field *store.FieldError
	if store.CodeOf(err) == store.Invalid && errors.As(err, &field) {
		err = field
	}
	if key == "" || key == section {
		return fmt.Errorf("%s: %w", section, err)
	}
	return fmt.Errorf("%s[%s]: %w", section, key, err)
}

// section is a kind of thing, as the file has it.
type section[T any] struct {
	name   string
	key    func(T) string
	there  []T
	create func(context.Context, T) (note string, err error)
	update func(ctx context.Context, before, after T) error
	later  func(ctx context.Context, before, after T) error // what of an update has to wait until nothing needs it any more; nil: nothing
	remove func(context.Context, T) error                   // nil: it is never deleted
	// alike tells whether two that look the same are; nil: they are. It is for secrets.
	alike func(ctx context.Context, before, after T) (bool, error)
}

// plan compares. Removals come in the end: see [Plan.order].
func (s section[T]) plan(ctx context.Context, p *Plan, wanted []T, prune bool) error {
	seen := map[string]bool{}
	for _, after := range wanted {
		key := s.key(after)
		if key == "" {
			return wrap(s.name, "", fmt.Errorf("one of them has no name"))
		}
		if seen[key] {
			return wrap(s.name, key, fmt.Errorf("is there twice"))
		}
		seen[key] = true
		i := slices.IndexFunc(s.there, func(t T) bool { return s.key(t) == key })
		if i < 0 {
			_, fields := differing(nil, after)
			p.Changes = append(p.Changes, Change{Section: s.name, Key: key, Action: Create, After: fields,
				do: func(ctx context.Context, c *Change) (err error) {
					c.Note, err = s.create(ctx, after)
					return err
				}})
			continue
		}
		before := s.there[i]
		from, to := differing(before, after)
		if len(from)+len(to) == 0 && s.alike != nil {
			same, err := s.alike(ctx, before, after)
			if err != nil {
				return wrap(s.name, key, err)
			}
			if !same {
				to = map[string]any{"secrets": "(changed)"}
			}
		}
		if len(from)+len(to) == 0 {
			p.Same++
			continue
		}
		c := Change{Section: s.name, Key: key, Action: Update, Before: from, After: to,
			do: func(ctx context.Context, _ *Change) error { return s.update(ctx, before, after) }}
		if s.later != nil {
			c.later = func(ctx context.Context) error { return s.later(ctx, before, after) }
		}
		p.Changes = append(p.Changes, c)
	}
	for _, t := range s.there {
		switch key := s.key(t); {
		case seen[key]:
		case !prune || s.remove == nil:
			p.Unlisted = append(p.Unlisted, Thing{s.name, key})
		default:
			from, _ := differing(t, nil)
			p.Changes = append(p.Changes, Change{Section: s.name, Key: key, Action: Delete, Before: from,
				do: func(ctx context.Context, _ *Change) error { return s.remove(ctx, t) }})
		}
	}
	return nil
}

// order puts deletions after everything else, the last section's first: what is deleted may
// be in use by what is deleted with it.
func (p *Plan) order() {
	slices.SortStableFunc(p.Changes, func(a, b Change) int {
		rank := func(c Change) int {
			if c.Action == Delete {
				return 1 + len(sections) - slices.Index(sections, c.Section)
			}
			return 0
		}
		return rank(a) - rank(b)
	})
}

// differing gives the fields of two things that are not the same, by dotted path. A nil one
// has no fields.
func differing(before, after any) (from, to map[string]any) {
	was, is := map[string]any{}, map[string]any{}
	flatten("", plain(before), was)
	flatten("", plain(after), is)
	from, to = maps.Clone(was), maps.Clone(is)
	for path, v := range was {
		if other, ok := is[path]; ok && reflect.DeepEqual(v, other) {
			delete(from, path)
			delete(to, path)
		}
	}
	return from, to
}

// plain is a thing as JSON has it.
func plain(v any) (out any) {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("config: %T is not to be written as JSON: %v", v, err)) // types of this package
	}
	_ = json.Unmarshal(text, &out)
	return out
}

// flatten collects the values under dotted paths; lists are values, and what is empty is
// not there.
func flatten(path string, v any, out map[string]any) {
	object, ok := v.(map[string]any)
	if !ok {
		if list, is := v.([]any); v != nil && v != "" && v != false && (!is || len(list) > 0) {
			out[path] = v
		}
		return
	}
	for k, one := range object {
		if path != "" {
			k = path + "." + k
		}
		flatten(k, one, out)
	}
}
