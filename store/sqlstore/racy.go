//go:build racy

package sqlstore

import (
	"context"
	"sync"

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

var completions sync.Map // of each DB: whether one has been completed

// unguardedSecrets makes secrets as a store does that does not derive them: each
// completion after the first gets its own.
func (db *DB) unguardedSecrets(c *store.Completion) {
	if _, later := completions.LoadOrStore(db, true); later {
		c.Session.Hash, c.Code.Hash = attempt(), attempt()
	}
}
