package certificate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/crypto/acme/autocert"

	"idp/keyring"
	"idp/store"
)

// Store is what [Sealed] keeps values in.
type Store interface {
	Certificate(ctx context.Context, name string) ([]byte, error)
	KeepCertificate(ctx context.Context, name string, sealed []byte) error
	DeleteCertificate(ctx context.Context, name string) error
}

// errUnread is all that is told of a database that cannot be asked.
var errUnread = errors.New("what is kept for the ACME authority cannot be read now")

// Sealed is an [autocert.Cache] in the database. The values hold private keys: whoever
// has the database alone can open none.
type Sealed struct {
	store  Store
	sealer *keyring.Sealer
	log    *slog.Logger
}

// NewSealed makes a cache.
func NewSealed(s Store, ring *keyring.Ring, log *slog.Logger) *Sealed {
	return &Sealed{s, ring.Sealer("certificate"), log}
}

// Get implements [autocert.Cache]. A value that does not open, after a change of the
// secret, is as good as none: another certificate is made.
func (c *Sealed) Get(ctx context.Context, name string) ([]byte, error) {
	sealed, err := c.store.Certificate(ctx, name)
	if store.CodeOf(err) == store.NotFound {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		// Package autocert shows strangers who ask for a challenge what is said here: no more than that.
		c.log.WarnContext(ctx, "cannot read what is kept for the ACME authority", "err", err)
		return nil, errUnread
	}
	value, err := c.sealer.Open(sealed, []byte(name))
	if err != nil {
		c.log.WarnContext(ctx, "what was kept for the ACME authority does not open, and is made anew", "err", err)
		return nil, autocert.ErrCacheMiss
	}
	return value, nil
}

// Put implements [autocert.Cache].
func (c *Sealed) Put(ctx context.Context, name string, value []byte) error {
	if err := c.store.KeepCertificate(ctx, name, c.sealer.Seal(value, []byte(name))); err != nil {
		c.log.ErrorContext(ctx, "keep what the ACME authority gave", "err", err)
		return fmt.Errorf("keep for the ACME authority: %w", err)
	}
	return nil
}

// Delete implements [autocert.Cache].
func (c *Sealed) Delete(ctx context.Context, name string) error {
	return c.store.DeleteCertificate(ctx, name)
}
