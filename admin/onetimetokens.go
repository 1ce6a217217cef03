package admin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"idp/audit"
	"idp/store"
)

type oneTimeTokenStore interface {
	CreateOneTimeToken(ctx context.Context, t store.OneTimeToken, told ...store.Event) (store.OneTimeToken, error)
	OneTimeToken(ctx context.Context, id string) (store.OneTimeToken, error)
	OneTimeTokenByHash(ctx context.Context, hash store.Hash) (store.OneTimeToken, error)
	OneTimeTokens(ctx context.Context, q store.TokenQuery) ([]store.OneTimeToken, int, error)
	ConsumeOneTimeToken(ctx context.Context, id string, told ...store.Event) error
	RevokeOneTimeToken(ctx context.Context, id string, told ...store.Event) error
	DeleteOneTimeToken(ctx context.Context, id string, told ...store.Event) error
}

// How long a one-time token can be used. A link waits in a mailbox that others may come to
// read, too: ten minutes unless the app says more, a month at most.
const (
	DefaultTokenTTL = 10 * time.Minute
	MaxTokenTTL     = 30 * 24 * time.Hour
)

// CreateOneTimeToken makes a token that signs in with an address, once, and gives it: what
// is kept is its hash. ttl 0 stands for [DefaultTokenTTL]. One for an owner is
// [store.Forbidden] to who may not do everything: who holds it becomes the owner.
func (s *Service) CreateOneTimeToken(ctx context.Context, by audit.Actor, email store.Email, c store.TokenContext, ttl time.Duration) (made store.OneTimeToken, token string, err error) {
	const op = "create one-time token"
	if ttl == 0 {
		ttl = DefaultTokenTTL
	}
	if ttl < time.Second || ttl > MaxTokenTTL {
		return made, "", store.InvalidField(op, "expiresIn", "is one second to 30 days")
	}
	if err := s.mayActFor(ctx, op, by, email); err != nil {
		return made, "", err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return made, "", err
	}
	token, hash := store.NewOneTimeToken()
	made = store.OneTimeToken{ID: store.RandomText(21), Email: email, Hash: hash, Context: text, ExpiresAt: s.store.Now().Add(ttl).Truncate(time.Millisecond)}
	told, err := s.aboutToken(ctx, by, "one_time_token.created", made)
	if err != nil {
		return made, "", err
	}
	made, err = s.store.CreateOneTimeToken(ctx, made, told)
	return made, token, err
}

// OneTimeToken reads a token. The error is [store.NotFound].
func (s *Service) OneTimeToken(ctx context.Context, id string) (store.OneTimeToken, error) {
	return s.store.OneTimeToken(ctx, id)
}

// OneTimeTokens gives a page of tokens, newest first, and their number as far as it was
// counted.
func (s *Service) OneTimeTokens(ctx context.Context, q store.TokenQuery) ([]store.OneTimeToken, int, error) {
	return s.store.OneTimeTokens(ctx, q)
}

// ErrOtherAddress is the Err of a [store.Invalid]: a token that was made for another address.
var ErrOtherAddress = errors.New("the token was made for another address")

// VerifyOneTimeToken uses a token up, for an app that signs nobody in with it. Errors:
// [store.NotFound]; [store.Invalid] with [ErrOtherAddress]; [store.Used] with the token as
// it is, if it was used, revoked, or has expired.
func (s *Service) VerifyOneTimeToken(ctx context.Context, by audit.Actor, token string, email store.Email) (store.OneTimeToken, error) {
	const op = "verify one-time token"
	hash, ok := store.HashOneTimeToken(token)
	if !ok {
		return store.OneTimeToken{}, &store.Error{Code: store.NotFound, Op: op}
	}
	t, err := s.store.OneTimeTokenByHash(ctx, hash)
	if err != nil {
		return t, err
	}
	if t.Email != email {
		return t, &store.Error{Code: store.Invalid, Op: op, Err: ErrOtherAddress}
	}
	return s.endToken(ctx, by, t, s.store.ConsumeOneTimeToken, "one_time_token.used")
}

// ConsumeOneTimeToken uses a token up. Errors as of [Service.VerifyOneTimeToken].
func (s *Service) ConsumeOneTimeToken(ctx context.Context, by audit.Actor, id string) (store.OneTimeToken, error) {
	t, err := s.store.OneTimeToken(ctx, id)
	if err != nil {
		return t, err
	}
	return s.endToken(ctx, by, t, s.store.ConsumeOneTimeToken, "one_time_token.used")
}

// RevokeOneTimeToken takes a token back. Errors as of [Service.VerifyOneTimeToken].
func (s *Service) RevokeOneTimeToken(ctx context.Context, by audit.Actor, id string) (store.OneTimeToken, error) {
	t, err := s.store.OneTimeToken(ctx, id)
	if err != nil {
		return t, err
	}
	return s.endToken(ctx, by, t, s.store.RevokeOneTimeToken, "one_time_token.revoked")
}

// DeleteOneTimeToken forgets a token. The error is [store.NotFound].
func (s *Service) DeleteOneTimeToken(ctx context.Context, by audit.Actor, id string) error {
	t, err := s.store.OneTimeToken(ctx, id)
	if err != nil {
		return err
	}
	told, err := s.aboutToken(ctx, by, "one_time_token.deleted", t)
	if err != nil {
		return err
	}
	return s.store.DeleteOneTimeToken(ctx, id, told)
}

// endToken ends a token and gives it as it is then.
func (s *Service) endToken(ctx context.Context, by audit.Actor, t store.OneTimeToken, end func(context.Context, string, ...store.Event) error, kind string) (store.OneTimeToken, error) {
	told, err := s.aboutToken(ctx, by, kind, t)
	if err != nil {
		return t, err
	}
	if err := end(ctx, t.ID, told); err != nil {
		return t, err
	}
	return s.store.OneTimeToken(ctx, t.ID)
}

func (s *Service) aboutToken(ctx context.Context, by audit.Actor, kind string, t store.OneTimeToken) (store.Event, error) {
	user, err := s.accountOf(ctx, t.Email)
	return s.book.Entry(by, audit.Record{
		Kind: kind, User: user, Target: "one-time-token:" + t.ID, Detail: map[string]any{"expiresAt": t.ExpiresAt},
		Personal: map[string]any{"email": t.Email},
	}), err
}

// TokenStatus tells where a token stands now.
func (s *Service) TokenStatus(t store.OneTimeToken) store.TokenStatus { return t.Status(s.store.Now()) }
