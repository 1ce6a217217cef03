package admin

import (
	"context"
	"errors"
	"slices"

	"idp/audit"
	"idp/store"
)

type keyStore interface {
	FreshSigningKeys(ctx context.Context) ([]store.SigningKey, error)
	RotateSigningKeys(ctx context.Context, keys []store.SigningKey, told ...store.Event) error
	DeleteSigningKey(ctx context.Context, id string, told ...store.Event) error
}

// SigningKeys lists the keys that sign tokens and those that did, newest first.
func (s *Service) SigningKeys(ctx context.Context) ([]store.SigningKey, error) {
	return s.store.FreshSigningKeys(ctx)
}

// RotateSigningKeys makes new keys for the algorithms that are in use, if choose is true for
// them. They sign once all replicas publish them, within seconds; what the ones before them
// have signed is accepted for as long as they are published.
func (s *Service) RotateSigningKeys(ctx context.Context, by audit.Actor, choose func(alg string) bool) ([]store.SigningKey, error) {
	const op = "rotate signing keys"
	if s.newKey == nil {
		return nil, errors.New("rotate signing keys: nothing here makes keys")
	}
	all, err := s.store.FreshSigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var made []store.SigningKey
	var ids, algs []string
	for _, k := range all {
		if !k.RetiredAt.IsZero() || !choose(k.Alg) || slices.Contains(algs, k.Alg) {
			continue
		}
		key, err := s.newKey(k.Alg)
		if err != nil {
			return nil, err
		}
		made, ids, algs = append(made, key), append(ids, key.ID), append(algs, k.Alg)
	}
	if len(made) == 0 {
		return nil, store.InvalidField(op, "signingKeyAlgorithm", "is none that a key here signs with")
	}
	entry := s.book.Entry(by, audit.Record{Kind: "key.rotated", Detail: map[string]any{"algorithms": algs, "keys": ids}})
	if err := s.store.RotateSigningKeys(ctx, made, entry); err != nil {
		return nil, err
	}
	return s.store.FreshSigningKeys(ctx)
}

// DeleteSigningKey removes a key that does not sign any more: tokens that it signed are not
// accepted from then on. Errors: [store.NotFound]; [store.InUse] if it signs.
func (s *Service) DeleteSigningKey(ctx context.Context, by audit.Actor, id string) error {
	return s.store.DeleteSigningKey(ctx, id, s.book.Entry(by, audit.Record{Kind: "key.deleted", Target: id}))
}
