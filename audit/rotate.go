package audit

import (
	"context"

	"idp/keyring"
	"idp/store"
)

// RotateStore is what [Revouch] asks of the database.
type RotateStore interface {
	EventAnchor(ctx context.Context) (store.EventAnchor, error)
	EventBatches(ctx context.Context, from int64, limit int) ([]store.EventBatch, error)
	RemacBatches(ctx context.Context, macs []store.BatchMAC) error
	RemacAnchor(ctx context.Context, a store.EventAnchor, was store.Hash) error
}

// Revouch gives the batches that were made under a secret before the current one, and the
// anchor, the MACs that they have under the current one. Their hashes stay, so checkpoints
// do, too. What no secret of the ring has made stays as it is, for [Verifier] to find.
func Revouch(ctx context.Context, s RotateStore, ring *keyring.Ring) (n int, err error) {
	c := newChain(ring)
	anchor, err := s.EventAnchor(ctx)
	if err != nil {
		return 0, err
	}
	if was := anchor.MAC; anchor != (store.EventAnchor{}) && c.anchorStands(anchor) {
		if c.anchor(&anchor); !anchor.MAC.Equal(was) {
			if err := s.RemacAnchor(ctx, anchor, was); err != nil {
				return 0, err
			}
		}
	}
	const limit = 200
	for from := anchor.No + 1; ; {
		batches, err := s.EventBatches(ctx, from, limit)
		if err != nil {
			return n, err
		}
		var macs []store.BatchMAC
		for _, b := range batches {
			from = b.No + 1
			made, doubts := c.sealed(b)
			is := c.links.Sum(b.Hash[:])
			if doubts {
				is = c.doubts.Sum(b.Hash[:])
			}
			if made && !is.Equal(b.MAC) {
				macs = append(macs, store.BatchMAC{No: b.No, Was: b.MAC, Is: is})
			}
		}
		if len(macs) > 0 {
			if err := s.RemacBatches(ctx, macs); err != nil {
				return n, err
			}
		}
		n += len(macs)
		if len(batches) < limit {
			return n, nil
		}
	}
}
