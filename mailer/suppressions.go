package mailer

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"idp/keyring"
	"idp/store"
	"idp/store/address"
)

// SuppressionStore is what the suppression list asks of the store.
type SuppressionStore interface {
	Suppressions(ctx context.Context, f store.SuppressionFilter) ([]store.Suppression, error)
	Suppress(ctx context.Context, a store.Suppression, before store.Hash) error
	Lift(ctx context.Context, addresses []store.Hash) error
	Delivery(ctx context.Context, id store.ID) (store.Delivery, error)
}

// Suppressions is the list of addresses that take no mail.
type Suppressions struct {
	store SuppressionStore
	book
}

// NewSuppressions makes it.
func NewSuppressions(s SuppressionStore, ring *keyring.Ring) *Suppressions {
	return &Suppressions{store: s, book: newBook(ring)}
}

// Suppression is one address of the list, as the command and the management API show
// it.
type Suppression struct {
	Address   string       `json:"address"` // masked in lists; "" if it cannot be told any more
	Reason    store.Reason `json:"reason"`
	Detail    string       `json:"detail"` // the provider's words, or an admin's
	Connector string       `json:"connector"`
	Mail      string       `json:"mailId"` // by which it was learned
	CreatedAt time.Time    `json:"createdAt"`
	Cursor    string       `json:"cursor"` // the page after begins behind it
}

// List gives a page of the list, newest first. full says whether addresses are whole.
// The error is [store.Invalid] for a cursor that is none.
func (s *Suppressions) List(ctx context.Context, before string, limit int, full bool) ([]Suppression, error) {
	f := store.SuppressionFilter{Limit: limit}
	if before != "" {
		at, hash, err := readCursor(before)
		if err != nil {
			return nil, &store.Error{Code: store.Invalid, Op: "list suppressed addresses", Err: err}
		}
		f.Before.CreatedAt, f.Before.Address = at, hash
	}
	found, err := s.store.Suppressions(ctx, f)
	if err != nil {
		return nil, err
	}
	views := make([]Suppression, len(found))
	for i := range found {
		views[i] = s.view(&found[i])
		if !full && views[i].Address != "" {
			views[i].Address = address.Mask(store.Email(views[i].Address))
		}
	}
	return views, nil
}

// Show tells why an address takes no mail. The error is [store.NotFound].
func (s *Suppressions) Show(ctx context.Context, to store.Email) (Suppression, error) {
	found, err := s.store.Suppressions(ctx, store.SuppressionFilter{Addresses: s.addresses.Sums([]byte(to)), Limit: 1})
	if err != nil {
		return Suppression{}, err
	}
	if len(found) == 0 {
		return Suppression{}, &store.Error{Code: store.NotFound, Op: "read suppressed address"}
	}
	return s.view(&found[0]), nil
}

// MaxNote is the longest reason that an admin can give, in characters.
const MaxNote = 200

// Told gives what an entry of the audit log tells of, by its target ([store.SuppressionTarget],
// [store.MailTarget]): the whole address, and why it takes no mail. The error is
// [store.NotFound], also if that was lifted since.
func (s *Suppressions) Told(ctx context.Context, target string) (Suppression, error) {
	const op = "read suppressed address"
	what, name, _ := strings.Cut(target, ":")
	f := store.SuppressionFilter{Limit: 1}
	switch what {
	case "mail":
		id, err := store.ParseID(name)
		if err != nil {
			return Suppression{}, &store.Error{Code: store.NotFound, Op: op}
		}
		d, err := s.store.Delivery(ctx, id)
		if err != nil {
			return Suppression{}, err
		}
		f.Addresses = []store.Hash{d.Address}
	case "suppression":
		hash, err := store.DecodeBase64URL(name)
		if err != nil || len(hash) != len(store.Hash{}) {
			return Suppression{}, &store.Error{Code: store.NotFound, Op: op}
		}
		f.Addresses = []store.Hash{store.Hash(hash)}
	}
	found, err := s.store.Suppressions(ctx, f)
	switch {
	case err != nil:
		return Suppression{}, err
	case len(found) == 0 || f.Addresses == nil:
		return Suppression{}, &store.Error{Code: store.NotFound, Op: op}
	}
	return s.view(&found[0]), nil
}

// Add puts an address on the list by hand. The error is [store.Conflict] if it is there.
func (s *Suppressions) Add(ctx context.Context, to store.Email, note string) error {
	sums := s.addresses.Sums([]byte(to))
	var before store.Hash
	if len(sums) > 1 {
		before = sums[1]
	}
	return s.store.Suppress(ctx, store.Suppression{
		Address: sums[0], Recipient: s.recipients.Seal([]byte(to), sums[0][:]), Reason: store.ReasonManual, Detail: clean(note, MaxNote),
	}, before)
}

// Lift has mail sent to an address again. The error is [store.NotFound] if nothing kept
// it from that.
func (s *Suppressions) Lift(ctx context.Context, to store.Email) error {
	return s.store.Lift(ctx, s.addresses.Sums([]byte(to)))
}

func (s *Suppressions) view(one *store.Suppression) Suppression {
	v := Suppression{
		Address: string(s.recipient(one.Recipient, one.Address)), Reason: one.Reason, Detail: one.Detail, Connector: one.Sender,
		CreatedAt: one.CreatedAt, Cursor: cursor(one.CreatedAt, one.Address),
	}
	if !one.Mail.IsZero() {
		v.Mail = one.Mail.String()
	}
	return v
}

// cursor names a place in the list.
func cursor(at time.Time, hash store.Hash) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro())) //nolint:gosec // after 1970
	return base64.RawURLEncoding.EncodeToString(append(b, hash[:]...))
}

func readCursor(text string) (time.Time, store.Hash, error) {
	b, err := store.DecodeBase64URL(text)
	if err != nil || len(b) != 8+len(store.Hash{}) || b[0] != 0 {
		return time.Time{}, store.Hash{}, errors.New("not a place in the list")
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b))), store.Hash(b[8:]), nil //nolint:gosec // its first byte is 0
}
