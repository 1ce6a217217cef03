package store_test

import (
	"testing"
	"time"

	"idp/store"
)

// No mark is one of those that say something else: 0 of other codes, 1 of the release before.
func TestMarkSaysNothingElse(t *testing.T) {
	t.Parallel()
	for _, us := range []int64{0, 1, store.TestMarks - 2, store.TestMarks - 1, store.TestMarks, 1 << 15, 1 << 16, 1_796_000_000_000_000} {
		if m := (store.TestAddress{CreatedAt: time.UnixMicro(us)}).Mark(); m < 2 {
			t.Errorf("%d of %d µs", m, us)
		}
	}
}
