package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/keyring"
	"idp/store"
)

// VerifyStore is what a [Verifier] asks of the database.
type VerifyStore interface {
	LastBatch(ctx context.Context) (store.EventBatch, error)
	EventAnchor(ctx context.Context) (store.EventAnchor, error)
	EventBatches(ctx context.Context, from int64, limit int) ([]store.EventBatch, error)
	ChainedEvents(ctx context.Context, from, to int64) ([]store.Event, error)
	BatchBounds(ctx context.Context) (lowest, highest int64, err error)
	UnchainedSince(ctx context.Context, most int) (n int, oldest time.Time, err error)
}

// Checkpoint is a batch and its hash, kept outside of the database: who has one can tell
// that nothing up to it was taken away or changed since.
type Checkpoint struct {
	Batch int64
	Hash  store.Hash
}

// String writes it as [ParseCheckpoint] reads it.
func (c Checkpoint) String() string { return fmt.Sprintf("%d:%x", c.Batch, c.Hash[:]) }

// ParseCheckpoint reads NUMBER:HASH.
func ParseCheckpoint(text string) (c Checkpoint, err error) {
	no, hash, _ := strings.Cut(strings.TrimSpace(text), ":")
	n, err1 := strconv.ParseInt(no, 10, 64)
	b, err2 := hex.DecodeString(hash)
	if err1 != nil || err2 != nil || n < 1 || len(b) != len(c.Hash) {
		return c, fmt.Errorf("%q is no checkpoint: it is the number of a batch, a colon and 64 hexadecimal digits", text)
	}
	return Checkpoint{n, store.Hash(b)}, nil
}

// Fault is how a chain is broken.
type Fault string

// The faults.
const (
	FaultEdited    Fault = "edited"    // an event is not what it was
	FaultCut       Fault = "cut"       // an event or a batch is gone
	FaultInserted  Fault = "inserted"  // an event was put into a batch that was made without it
	FaultRewritten Fault = "rewritten" // the links fit one another, but no key of this instance made them
)

// Break is the first place where the chain is broken.
type Break struct {
	Batch int64
	Event store.ID // zero: not one event
	Fault Fault
	What  string // for people
}

// Report is what a [Verifier] found.
type Report struct {
	From, To int64      // batches that were looked at
	Events   int64      // in them
	Head     Checkpoint // the end of the chain; zero if it is empty
	Cut      int64      // the batches up to this one were removed on purpose; 0: none
	Former   int64      // batches whose own MAC is of a secret that is gone; a later one vouches for them
	Break    *Break     // nil: the chain holds

	Waiting int       // entries in no batch yet, [MaxWaiting] at most; what they say is not proved
	Since   time.Time // the oldest of them; zero: there is none
}

// MaxWaiting is how far entries that are in no batch are counted.
const MaxWaiting = 100_000

// Verifier checks the chain.
type Verifier struct {
	Store    VerifyStore
	Progress func(done, all int64) // batches; may be nil
	chain    chain
}

// NewVerifier makes a verifier.
func NewVerifier(s VerifyStore, ring *keyring.Ring) *Verifier {
	return &Verifier{Store: s, chain: newChain(ring)}
}

// verifyEvents is about how many events are held in memory at a time.
const verifyEvents = 5000

// Verify walks the chain from a batch on, 0 for its beginning, and stops where it is
// broken. With a checkpoint it also tells whether the chain still holds that one. The error
// is one of reading.
func (v *Verifier) Verify(ctx context.Context, from int64, point *Checkpoint) (Report, error) {
	w := &walk{Verifier: v, point: point}
	err := w.start(ctx, from)
	for err == nil && w.Break == nil && w.next <= w.last {
		err = w.step(ctx)
	}
	if err == nil && w.Break == nil {
		err = w.end(ctx)
	}
	if err == nil {
		w.Waiting, w.Since, err = v.Store.UnchainedSince(ctx, MaxWaiting)
	}
	return w.Report, err
}

// walk is one verification under way.
type walk struct {
	*Verifier
	Report
	point  *Checkpoint
	before store.Hash // of the batch before next
	next   int64
	last   int64
	unsaid int64 // the first batch of those at the end that no live secret vouches for; 0: none
}

func (w *walk) start(ctx context.Context, from int64) error {
	last, err := w.Store.LastBatch(ctx)
	if err != nil {
		return err
	}
	anchor, err := w.Store.EventAnchor(ctx)
	if err != nil {
		return err
	}
	w.last, w.Cut = last.No, anchor.No
	if !w.chain.anchorStands(anchor) {
		w.broken(anchor.No, store.ID{}, FaultCut, "the record of what was removed on purpose was not made here (or under an earlier secret: give that one as IDP_SECRET_PREVIOUS)")
		return nil
	}
	w.next, w.before = anchor.No+1, anchor.Hash
	if from > w.next {
		found, err := w.Store.EventBatches(ctx, from-1, 1)
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].No != from-1 {
			w.broken(from-1, store.ID{}, FaultCut, "the batch is not there")
			return nil
		}
		w.next, w.before = from, found[0].Hash
	}
	w.From, w.To = w.next, w.next-1
	w.Head = Checkpoint{w.To, w.before}
	w.compare(w.Head)
	return nil
}

// step checks some batches.
func (w *walk) step(ctx context.Context) error {
	const most = 200
	batches, err := w.Store.EventBatches(ctx, w.next, most)
	if err != nil {
		return err
	}
	size, n := int64(0), 0
	for n < len(batches) && (n == 0 || size < verifyEvents) {
		size += batches[n].Size
		n++
	}
	batches = batches[:n]
	if n == 0 || batches[0].No != w.next {
		return w.missing(ctx)
	}
	events, err := w.Store.ChainedEvents(ctx, w.next, batches[n-1].No)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if b.No != w.next {
			return w.missing(ctx)
		}
		k := 0
		for k < len(events) && events[k].Batch == b.No {
			k++
		}
		w.check(b, events[:k])
		if w.Break != nil {
			return w.missing(ctx)
		}
		events = events[k:]
		w.next, w.before = b.No+1, b.Hash
		w.To, w.Events, w.Head = b.No, w.Events+int64(k), Checkpoint{b.No, b.Hash}
		if w.compare(w.Head); w.Break != nil {
			return nil
		}
	}
	if w.Progress != nil {
		w.Progress(w.To-w.From+1, w.last-w.From+1)
	}
	return nil
}

// missing says that the next batch is not there, or not as it was, unless it was removed
// on purpose meanwhile: then the walk goes on where the chain begins now.
func (w *walk) missing(ctx context.Context) error {
	anchor, err := w.Store.EventAnchor(ctx)
	if err != nil {
		return err
	}
	if anchor.No >= w.next && w.chain.anchorStands(anchor) {
		w.Break, w.Cut, w.next, w.before, w.unsaid = nil, anchor.No, anchor.No+1, anchor.Hash, 0
		return nil
	}
	if w.Break == nil {
		w.broken(w.next, store.ID{}, FaultCut, "the batch is not there")
	}
	return nil
}

// end checks what only shows behind the last batch.
func (w *walk) end(ctx context.Context) error {
	lowest, highest, err := w.Store.BatchBounds(ctx)
	if err != nil {
		return err
	}
	last, err := w.Store.LastBatch(ctx) // a server may have made more meanwhile
	switch {
	case err != nil:
		return err
	case lowest <= w.Cut: // looked at after the anchor was, so that no removal is under way
		w.broken(lowest, store.ID{}, FaultInserted, "events say that they are in this batch, but the chain begins behind it")
	case highest > last.No:
		w.broken(highest, store.ID{}, FaultCut, "events are in this batch, but the batch is not there")
	case w.unsaid != 0:
		w.broken(w.unsaid, store.ID{}, FaultRewritten, unsaid)
	case w.point != nil && w.point.Batch > w.To:
		w.broken(w.point.Batch, store.ID{}, FaultCut, "the chain ends before the batch of the checkpoint")
	}
	return nil
}

const unsaid = "no key of this instance has made this batch and those behind it (if it was made under an earlier secret, give that one as IDP_SECRET_PREVIOUS)"

// compare holds a batch against the checkpoint.
func (w *walk) compare(c Checkpoint) {
	if w.point != nil && c.Batch == w.point.Batch && c.Hash != w.point.Hash {
		w.broken(c.Batch, store.ID{}, FaultRewritten, "the batch has another hash than the checkpoint")
	}
}

func (w *walk) broken(batch int64, event store.ID, fault Fault, what string) {
	w.Break = &Break{batch, event, fault, what}
}

// check holds a batch against its events and the batch before.
func (w *walk) check(b store.EventBatch, events []store.Event) {
	leaves := leavesOf(events)
	switch {
	case hashOf(b, w.before) != b.Hash:
		w.broken(b.No, store.ID{}, FaultEdited, "the batch's own record does not fit the batch before it")
		return
	case merkle(leaves) != b.Root || int64(len(events)) != b.Size:
		event, fault, what := culprit(b, events, leaves)
		w.broken(b.No, event, fault, what)
		return
	}
	switch made, doubts := w.chain.sealed(b); {
	case doubts && w.unsaid != 0: // the server has seen that, too
		w.broken(w.unsaid, store.ID{}, FaultRewritten, unsaid)
	case !made:
		if w.unsaid == 0 {
			w.unsaid = b.No
		}
	case w.unsaid != 0: // this one vouches for them
		w.Former += b.No - w.unsaid
		w.unsaid = 0
	}
}

// culprit finds the first event that is not as the index of the batch says.
func culprit(b store.EventBatch, events []store.Event, leaves []store.Hash) (store.ID, Fault, string) {
	const row = len(store.ID{}) + leafIndexed
	index := b.Leaves
	for i, e := range events {
		if len(index) < row {
			return e.ID, FaultInserted, "the event was not in the batch when it was made"
		}
		id := store.ID(index[:len(e.ID)])
		switch c := slices.Compare(id[:], e.ID[:]); {
		case c < 0:
			return id, FaultCut, "the event is gone, or its id was changed"
		case c > 0:
			return e.ID, FaultInserted, "the event was not in the batch when it was made"
		case !bytes.Equal(index[len(e.ID):row], leaves[i][:leafIndexed]):
			return e.ID, FaultEdited, "the event is not what it was"
		}
		index = index[row:]
	}
	if len(index) >= row {
		return store.ID(index[:len(store.ID{})]), FaultCut, "the event is gone"
	}
	return store.ID{}, FaultEdited, "the events are not those that the batch was made of"
}
