package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"idp/keyring"
	"idp/store"
)

// chain makes the links. Their keys are needed for the MAC only: what a link covers can be
// recomputed by anybody who has the rows, and the last MAC vouches for all links before it.
type chain struct {
	links   *keyring.MAC
	doubts  *keyring.MAC // of batches that do not vouch for what is before them
	anchors *keyring.MAC
}

func newChain(ring *keyring.Ring) chain {
	return chain{links: ring.MAC("audit chain"), doubts: ring.MAC("audit chain doubt"), anchors: ring.MAC("audit anchor")}
}

// link makes the batch after before, of events in the order of their ids. It vouches for all
// batches before it only if somebody has seen that before was made here: else whoever rewrites
// the chain without a key had it signed with the next batch.
func (c chain) link(before store.EventBatch, vouch bool, events []store.Event, now time.Time) store.EventBatch {
	leaves := leavesOf(events)
	b := store.EventBatch{
		No: before.No + 1, First: events[0].ID, Last: events[len(events)-1].ID, Size: int64(len(events)), Root: merkle(leaves), CreatedAt: now,
	}
	for i, e := range events {
		b.Leaves = append(append(b.Leaves, e.ID[:]...), leaves[i][:leafIndexed]...)
	}
	b.Hash = hashOf(b, before.Hash)
	if b.MAC = c.links.Sum(b.Hash[:]); !vouch {
		b.MAC = c.doubts.Sum(b.Hash[:])
	}
	return b
}

// sealed tells whether a batch was made here, under a live secret; doubts, whether it vouches
// for itself only.
func (c chain) sealed(b store.EventBatch) (made, doubts bool) {
	doubts = slices.ContainsFunc(c.doubts.Sums(b.Hash[:]), b.MAC.Equal)
	return doubts || slices.ContainsFunc(c.links.Sums(b.Hash[:]), b.MAC.Equal), doubts
}

// sound counts the batches behind an anchor, from the first on, that fit one another and that
// a batch among them vouches for.
func (c chain) sound(a store.EventAnchor, batches []store.EventBatch) (n int) {
	before := store.EventBatch{No: a.No, Hash: a.Hash}
	for i, b := range batches {
		made, doubts := c.sealed(b)
		if b.No != before.No+1 || hashOf(b, before.Hash) != b.Hash || doubts && n < i {
			break
		}
		if before = b; made {
			n = i + 1
		}
	}
	return n
}

// anchor fills in the MAC.
func (c chain) anchor(a *store.EventAnchor) { a.MAC = c.anchors.Sum(anchored(*a)...) }

// anchorStands tells whether an anchor was made here. None at all needs no proof.
func (c chain) anchorStands(a store.EventAnchor) bool {
	return a == store.EventAnchor{} || slices.ContainsFunc(c.anchors.Sums(anchored(a)...), a.MAC.Equal)
}

func anchored(a store.EventAnchor) [][]byte {
	return [][]byte{number(a.No), a.Hash[:], number(a.CutAt.UnixMicro())}
}

// hashOf is SHA-256 over a batch and the hash before.
func hashOf(b store.EventBatch, before store.Hash) store.Hash {
	return sum(linkPrefix, before[:], number(b.No), b.First[:], b.Last[:], number(b.Size), b.Root[:], number(b.CreatedAt.UnixMicro()))
}

// leafIndexed is how much of a leaf's hash the index of a batch holds.
const leafIndexed = 8

// What is hashed begins with a byte that says what it is, so that nothing of one kind can
// pass for another; the first two are those of RFC 6962 section 2.1.
const (
	leafPrefix = 0
	nodePrefix = 1
	linkPrefix = 2
)

// leafOf covers all of an event that is stored, but for the batch it is in. What is
// personal is covered as it is sealed, so that the hash still fits when the key is gone.
func leafOf(e store.Event) store.Hash {
	h := sha256.New()
	h.Write([]byte{leafPrefix})
	for _, part := range [][]byte{
		e.ID[:], number(e.At.UnixMicro()), []byte(e.Kind), []byte(e.User), []byte(e.Client), []byte(e.Actor), []byte(e.Target), []byte(e.Request),
		e.Detail, []byte(e.KeyID), e.Personal,
	} {
		h.Write(number(int64(len(part))))
		h.Write(part)
	}
	return store.Hash(h.Sum(nil))
}

func leavesOf(events []store.Event) []store.Hash {
	leaves := make([]store.Hash, len(events))
	for i, e := range events {
		leaves[i] = leafOf(e)
	}
	return leaves
}

// merkle is the Merkle tree hash of RFC 6962 section 2.1.
func merkle(leaves []store.Hash) store.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := merkle(leaves[:k]), merkle(leaves[k:])
	return sum(nodePrefix, left[:], right[:])
}

func sum(prefix byte, parts ...[]byte) store.Hash {
	h := sha256.New()
	h.Write([]byte{prefix})
	for _, p := range parts {
		h.Write(p)
	}
	return store.Hash(h.Sum(nil))
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
