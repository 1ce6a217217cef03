//go:build !racy

package sqlstore

import (
	"context"

	"idp/store"
)

// The build tag racy takes the guards out of the statements and checks first
// instead, as a store without guarded statements does. It exists to show that the
// race tests can fail; see "make racy".
const (
	racy     = false
	racyAlso = ""
)

func (*DB) checkFirst(context.Context, store.Guess) (store.SignedIn, error) {
	return store.SignedIn{}, nil
}

func (*DB) unguardedSecrets(*store.Completion) {}
