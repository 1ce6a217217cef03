package config

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

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

// Noted keeps what had to be said of a change that was made.
func (p *Plan) Noted(done Change) {
	for i, planned := range p.Changes {
		if planned.Section == done.Section && planned.Key == done.Key && planned.Action == done.Action {
			p.Changes[i].Note = done.Note
		}
	}
}

// wrap says which thing an error is about, and of a field that does not fit nothing but that.
func wrap(section, key string, err error) error {
	var field *store.FieldError
	if store.CodeOf(err) == store.Invalid && errors.As(err, &field) {
		err = field
	}
	return &thingError{Thing{section, key}, err}
}

// thingError is an error about something of a section, or about a section.
type thingError struct {
	Thing

	err error
}

func (e *thingError) Error() string { return e.String() + ": " + e.err.Error() }

func (e *thingError) Unwrap() error { return e.err }

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
	listed := map[string]bool{}
	for _, after := range wanted {
		key := s.key(after)
		if key == "" {
			return wrap(s.name, "", errors.New("one of them has no name"))
		}
		if listed[key] {
			return wrap(s.name, key, errors.New("is there twice"))
		}
		listed[key] = true
		before, is := find(s.there, func(t T) bool { return s.key(t) == key })
		if !is {
			p.Changes = append(p.Changes, s.creation(key, after))
			continue
		}
		c, err := s.change(ctx, key, before, after)
		switch {
		case err != nil:
			return wrap(s.name, key, err)
		case c == nil:
			p.Same++
		default:
			p.Changes = append(p.Changes, *c)
		}
	}
	for _, t := range s.there {
		switch key := s.key(t); {
		case listed[key]:
		case !prune || s.remove == nil:
			p.Unlisted = append(p.Unlisted, Thing{s.name, key})
		default:
			p.Changes = append(p.Changes, s.removal(key, t))
		}
	}
	return nil
}

func (s section[T]) creation(key string, after T) Change {
	_, fields := differing(nil, after)
	return Change{Section: s.name, Key: key, Action: Create, After: fields,
		do: func(ctx context.Context, c *Change) (err error) {
			c.Note, err = s.create(ctx, after)
			return err
		}}
}

// change is nil if there is none.
func (s section[T]) change(ctx context.Context, key string, before, after T) (*Change, error) {
	from, to := differing(before, after)
	if len(from)+len(to) == 0 {
		if s.alike == nil {
			return nil, nil
		}
		if same, err := s.alike(ctx, before, after); same || err != nil {
			return nil, err
		}
		to = map[string]any{"secrets": "(changed)"}
	}
	c := &Change{Section: s.name, Key: key, Action: Update, Before: from, After: to,
		do: func(ctx context.Context, _ *Change) error { return s.update(ctx, before, after) }}
	if s.later != nil {
		c.later = func(ctx context.Context) error { return s.later(ctx, before, after) }
	}
	return c, nil
}

func (s section[T]) removal(key string, t T) Change {
	fields, _ := differing(t, nil)
	return Change{Section: s.name, Key: key, Action: Delete, Before: fields,
		do: func(ctx context.Context, _ *Change) error { return s.remove(ctx, t) }}
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
// has no fields, and of what is made or goes only those are told that say something.
func differing(before, after any) (from, to map[string]any) {
	from, to = fieldsOf(before), fieldsOf(after)
	for path, v := range from {
		if other, ok := to[path]; ok && reflect.DeepEqual(v, other) {
			delete(from, path)
			delete(to, path)
		}
	}
	if before == nil || after == nil {
		maps.DeleteFunc(from, saysNothing)
		maps.DeleteFunc(to, saysNothing)
	}
	return from, to
}

func saysNothing(_ string, v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return v == nil || v == "" || v == false
}

func fieldsOf(thing any) map[string]any {
	out := map[string]any{}
	if v := plain(thing); v != nil {
		flatten("", v, out)
	}
	return out
}

// flatten collects the values under dotted paths; lists are values, and so are objects
// without a field.
func flatten(path string, v any, out map[string]any) {
	object, ok := v.(map[string]any)
	if !ok || len(object) == 0 && path != "" {
		out[path] = v
		return
	}
	for k, one := range object {
		if k == "" || strings.ContainsAny(k, `." `) { // else {"a.b": 1} would pass for {"a": {"b": 1}}
			k = strconv.Quote(k)
		}
		if path != "" {
			k = path + "." + k
		}
		flatten(k, one, out)
	}
}
