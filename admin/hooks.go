package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"idp/audit"
	"idp/store"
	"idp/webhook"
)

type hookStore interface {
	FreshHooks(ctx context.Context) ([]store.Hook, error)
	FreshHook(ctx context.Context, id string) (store.Hook, error)
	CreateHook(ctx context.Context, h store.Hook, told ...store.Event) (time.Time, error)
	UpdateHook(ctx context.Context, h store.Hook, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteHook(ctx context.Context, id string, seen time.Time, told ...store.Event) error
	HookLog(ctx context.Context, f store.HookLogFilter, offset, limit, most int) ([]store.HookDelivery, int, error)
	HookDelivery(ctx context.Context, hook string, id store.ID) (store.HookDelivery, error)
	HookBacklog(ctx context.Context, hook string, most int) (int, error)
	HookCounts(ctx context.Context, hook string, since time.Time, most int) (store.HookCounts, error)
	Tell(ctx context.Context, told ...store.Event) error
}

// HookForm is what of a webhook is set.
type HookForm struct {
	Name    string
	Events  []string
	Config  webhook.Config // with [Mask] in the place of headers' values that stay what they are
	Enabled bool
}

// Hook is a webhook.
type Hook struct {
	HookForm
	ID                   string
	SigningKey           string // Mask, except where it has just been made
	CreatedAt, UpdatedAt time.Time
}

// HookEvents lists the names of all events.
func HookEvents() []string { return webhook.Events() }

// HookConfig says where and how a webhook posts.
type HookConfig = webhook.Config

// HookTrial is what became of a test.
type HookTrial = webhook.Trial

// HookTestError says that a test did not come through.
type HookTestError struct {
	Event  string
	Status int // of the answer, 0 for none
	Err    error
}

func (e *HookTestError) Error() string { return fmt.Sprintf("%s: %v", e.Event, e.Err) }

func (e *HookTestError) Unwrap() error { return e.Err }

// Hooks lists the webhooks as they are now, the oldest first.
func (s *Service) Hooks(ctx context.Context) ([]Hook, error) {
	found, err := s.store.FreshHooks(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Hook, len(found))
	for i, h := range found {
		out[i] = s.showHook(h)
	}
	return out, nil
}

// Hook reads a webhook as it is now. The error is [store.NotFound].
func (s *Service) Hook(ctx context.Context, id string) (Hook, error) {
	h, err := s.store.FreshHook(ctx, id)
	if err != nil {
		return Hook{}, err
	}
	return s.showHook(h), nil
}

// CreateHook adds a webhook. Its signing key is shown here and not again; with key "" one is
// made.
func (s *Service) CreateHook(ctx context.Context, by audit.Actor, f HookForm, key string) (Hook, error) {
	const op = "create hook"
	h := store.Hook{ID: store.RandomText(21)}
	switch {
	case key == "":
		key = store.RandomText(32)
	case len(key) < minHookKey || len(key) > maxHookKey:
		return Hook{}, checkHookKey(op)
	}
	if err := s.fillHook(op, &h, f, webhook.Config{}, key); err != nil {
		return Hook{}, err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "hook.created", Target: "hook:" + h.ID, Detail: audit.Changes(nil, hookSeen(h, f.Config))})
	var err error
	h.CreatedAt, err = s.store.CreateHook(ctx, h, entry)
	if store.CodeOf(err) == store.Limited {
		return Hook{}, &store.Error{Code: store.Conflict, Op: op, Err: fmt.Errorf("there are %d webhooks, and there can be no more", store.MaxHooks)}
	}
	if err != nil {
		return Hook{}, err
	}
	h.UpdatedAt = h.CreatedAt
	out := s.showHook(h)
	out.SigningKey = key
	return out, nil
}

// UpdateHook changes a webhook by change, which may be called more than once. seen as in
// [Service.UpdateClient].
func (s *Service) UpdateHook(ctx context.Context, by audit.Actor, id string, seen time.Time, change func(*HookForm) error) (Hook, error) {
	return s.editHook(ctx, by, id, seen, change, "")
}

// RotateHookKey gives a webhook another signing key, which is shown here and not again. What
// is posted from now on is signed with it.
func (s *Service) RotateHookKey(ctx context.Context, by audit.Actor, id string, seen time.Time) (Hook, error) {
	key := store.RandomText(32)
	h, err := s.editHook(ctx, by, id, seen, func(*HookForm) error { return nil }, key)
	if err == nil {
		h.SigningKey = key
	}
	return h, err
}

// ReplaceHook makes a webhook what a form says, with a signing key unless that is "".
func (s *Service) ReplaceHook(ctx context.Context, by audit.Actor, id string, f HookForm, key string) error {
	if key != "" && (len(key) < minHookKey || len(key) > maxHookKey) {
		return checkHookKey("update hook")
	}
	if key != "" {
		h, err := s.store.FreshHook(ctx, id)
		if err != nil {
			return err
		}
		if _, is, err := s.hooks.Open(h); err == nil && is == key {
			key = ""
		}
	}
	_, err := s.editHook(ctx, by, id, time.Time{}, func(form *HookForm) error {
		*form = f
		return nil
	}, key)
	return err
}

// IsHook tells whether a webhook is what a form says, and has a signing key, unless that is "".
// Masks stand for the values that it has.
func (s *Service) IsHook(ctx context.Context, id string, f HookForm, key string) (bool, error) {
	h, err := s.store.FreshHook(ctx, id)
	if err != nil {
		return false, err
	}
	was, is, err := s.hooks.Open(h)
	if err != nil {
		return false, nil //nolint:nilerr // it is written anew
	}
	c, err := unmaskHook("compare hook", f.Config, was)
	if err != nil {
		return false, err
	}
	return (key == "" || key == is) && maps.Equal(c.Headers, was.Headers), nil
}

// Lengths that the signing key of a webhook may have, in bytes.
const (
	minHookKey = 16
	maxHookKey = 256
)

func (s *Service) editHook(ctx context.Context, by audit.Actor, id string, seen time.Time, change func(*HookForm) error, newKey string) (Hook, error) {
	const op = "update hook"
	h, err := edit(op, seen,
		func() (store.Hook, time.Time, error) {
			h, err := s.store.FreshHook(ctx, id)
			return h, h.UpdatedAt, err
		},
		func(before store.Hook, version time.Time) (store.Hook, error) {
			was, key, err := s.hooks.Open(before)
			if err != nil && newKey == "" {
				return before, secretsGone(op)
			}
			record := audit.Record{Kind: "hook.updated", Target: "hook:" + id}
			if newKey != "" {
				key, record.Kind = newKey, "hook.key_rotated"
			}
			after, form := before, s.showHook(before).HookForm
			if err := change(&form); err != nil {
				return before, err
			}
			if err := s.fillHook(op, &after, form, was, key); err != nil {
				return before, err
			}
			now, _, err := s.hooks.Open(after)
			if err != nil {
				return before, err
			}
			record.Detail = audit.Changes(hookSeen(before, was), hookSeen(after, now))
			after.UpdatedAt, err = s.store.UpdateHook(ctx, after, version, s.book.Entry(by, record))
			return after, err
		})
	if err != nil {
		return Hook{}, err
	}
	return s.showHook(h), nil
}

// DeleteHook removes a webhook; what waits for it is not posted any more. seen as in
// [Service.UpdateClient].
func (s *Service) DeleteHook(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	h, err := s.store.FreshHook(ctx, id)
	if err != nil {
		return err
	}
	c, _, _ := s.hooks.Open(h) // what does not open can go all the same
	return s.store.DeleteHook(ctx, id, seen, s.book.Entry(by, audit.Record{Kind: "hook.deleted", Target: "hook:" + id, Detail: audit.Changes(hookSeen(h, c), nil)}))
}

// TestHook is [Service.TryHook] for who asks only whether all came through. The error is a
// [*HookTestError] if one did not.
func (s *Service) TestHook(ctx context.Context, by audit.Actor, id string, events []string, c webhook.Config) error {
	trials, err := s.TryHook(ctx, by, id, events, c)
	for _, t := range trials {
		if t.Err != nil {
			err = errors.Join(err, &HookTestError{Event: t.Event, Status: t.Status, Err: t.Err})
		}
	}
	return err
}

// TryHook posts each of the events, with somebody who does not exist, to where c says, under
// the signing key of a webhook, and tells what was answered.
func (s *Service) TryHook(ctx context.Context, by audit.Actor, id string, events []string, c webhook.Config) ([]HookTrial, error) {
	const op = "test hook"
	h, err := s.store.FreshHook(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := checkHookEvents(op, events); err != nil {
		return nil, err
	}
	was, _, err := s.hooks.Open(h)
	if err != nil {
		return nil, secretsGone(op)
	}
	if c, err = unmaskHook(op, c, was); err != nil {
		return nil, err
	}
	if err := s.store.Tell(ctx, s.book.Entry(by, audit.Record{Kind: "hook.tested", Target: "hook:" + id, Detail: map[string]any{"url": originOf(c.URL), "events": events}})); err != nil {
		return nil, err
	}
	return s.hooks.Try(ctx, op, h, events, c)
}
