//go:build racy

package sqlstore

import (
	"context"

	"idp/store"
)

const (
	racy     = true
	racyAlso = " OR 1 = 1"
)

// checkFirst is the naive check before the write.
func (db *DB) checkFirst(ctx context.Context, g store.Guess) (store.SignedIn, error) {
	st, err := db.ChallengeState(ctx, g.Challenge, g.Browser)
	switch {
	case err != nil:
		return store.SignedIn{Outcome: store.OutcomeGone}, nil
	case st.Consumed:
		return store.SignedIn{Outcome: store.OutcomeUsed}, nil
	case st.TriesLeft <= 0:
		return store.SignedIn{Outcome: store.OutcomeSpent}, nil
	}
	return store.SignedIn{}, nil
}
