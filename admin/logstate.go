package admin

import (
	"context"
	"encoding/json"
	"time"

	"idp/audit"
	"idp/store"
)

// Kinds of entries about the audit log itself.
const (
	KindLogsVerified = "audit.verified"
	KindLogsExported = "audit.exported"
)

// Verification is what became of a check of the audit log, as its entry tells.
type Verification struct {
	Entry store.ID  `json:"-"`
	At    time.Time `json:"-"`

	Full       bool   `json:"full"` // from the beginning on
	Holds      bool   `json:"holds"`
	From       int64  `json:"from"` // batches
	To         int64  `json:"to"`
	Entries    int64  `json:"entries"`
	Checkpoint string `json:"checkpoint,omitempty"`
	Broken     int64  `json:"broken,omitempty"` // the batch, if it does not hold
	Fault      string `json:"fault,omitempty"`
}

// LogState is how far the audit log is chained and checked.
type LogState struct {
	Batch    int64     // the last; 0: nothing is chained yet
	SealedAt time.Time // when it was made
	Cut      int64     // batches up to this one were removed for their age
	Waiting  int       // entries in no batch yet, [MaxWaiting] at most
	Since    time.Time // the oldest of them

	Last, Full *Verification // the last check, and the last of all of it; nil: none is known
}

// MaxWaiting is how far entries are counted that are in no batch.
const MaxWaiting = 1000

// lookedVerifications is how many checks are looked through for one of all of the log.
const lookedVerifications = 50

// LogState tells how far the audit log is chained, without reading it.
func (s *Service) LogState(ctx context.Context) (LogState, error) {
	last, err := s.store.LastBatch(ctx)
	if err != nil {
		return LogState{}, err
	}
	anchor, err := s.store.EventAnchor(ctx)
	if err != nil {
		return LogState{}, err
	}
	out := LogState{Batch: last.No, SealedAt: last.CreatedAt, Cut: anchor.No}
	if out.Waiting, out.Since, err = s.store.UnchainedSince(ctx, MaxWaiting); err != nil {
		return out, err
	}
	checks, err := s.store.EventsBefore(ctx, store.EventFilter{Kind: KindLogsVerified}, store.EventPlace{}, lookedVerifications)
	for _, e := range checks {
		one := &Verification{Entry: e.ID, At: e.At}
		if json.Unmarshal(e.Detail, one) != nil {
			continue // not one of ours
		}
		if out.Last == nil {
			out.Last = one
		}
		if one.Full && out.Full == nil {
			out.Full = one
		}
	}
	return out, err
}

// A check of the newest part reads as much as a page can wait for.
const (
	newestBatches = 1000
	newestEntries = 20_000
)

// VerifyNewest checks the newest entries of the audit log, about 20,000 at most, and writes
// down what it found.
func (s *Service) VerifyNewest(ctx context.Context, by audit.Actor) (audit.Report, error) {
	last, err := s.store.LastBatch(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	anchor, err := s.store.EventAnchor(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	from := max(anchor.No+1, last.No-newestBatches+1)
	batches, err := s.store.EventBatches(ctx, from, newestBatches)
	if err != nil {
		return audit.Report{}, err
	}
	size := int64(0)
	for i := len(batches) - 1; i >= 0; i-- {
		if size += batches[i].Size; size > newestEntries && i < len(batches)-1 {
			from = batches[i+1].No
			break
		}
	}
	full := from == anchor.No+1
	if full {
		from = 0
	}
	r, err := s.verifier.Verify(ctx, from, nil)
	if err != nil {
		return r, err
	}
	return r, s.RecordVerification(ctx, by, r, full)
}

// RecordVerification writes down what a check of the audit log found. full says that it began
// at the beginning.
func (s *Service) RecordVerification(ctx context.Context, by audit.Actor, r audit.Report, full bool) error {
	v := Verification{Full: full, Holds: r.Break == nil, From: r.From, To: r.To, Entries: r.Events}
	if r.Head.Batch > 0 {
		v.Checkpoint = r.Head.String()
	}
	if r.Break != nil {
		v.Broken, v.Fault = r.Break.Batch, string(r.Break.Fault)
	}
	return s.store.Tell(ctx, s.book.Entry(by, audit.Record{Kind: KindLogsVerified, Detail: audit.Changes(nil, v)["after"].(map[string]any)}))
}
