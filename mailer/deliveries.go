package mailer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"idp/keyring"
	"idp/store"
	"idp/store/address"
)

// stateNames are the states of a mail for people and programs outside.
var stateNames = map[store.MailState]string{
	store.MailQueued: "queued", store.MailSent: "sent", store.MailFailed: "failed", store.MailExpired: "expired", store.MailSuppressed: "suppressed",
	store.MailDelayed: "delayed", store.MailDelivered: "delivered", store.MailBounced: "bounced", store.MailComplained: "complained",
	store.MailRejected: "rejected",
}

// withheld is the state of a decoy, outside.
const withheld = "withheld"

// whyWithheld is its error.
const whyWithheld = "the address has no account and was written to too often, or is for tests"

// StateName is a state's name for people and programs outside.
func StateName(s store.MailState) string { return stateNames[s] }

// StateNames lists what a mail's state can be called.
func StateNames() []string {
	var names []string
	for s := store.MailQueued; s <= store.MailRejected; s++ {
		names = append(names, stateNames[s])
	}
	return append(names, withheld)
}

// DeliveryStore is what the delivery log asks of the store.
type DeliveryStore interface {
	Deliveries(ctx context.Context, f store.DeliveryFilter) ([]store.Delivery, error)
	DeliveriesReach(ctx context.Context, f store.DeliveryFilter) (store.ID, error)
	Delivery(ctx context.Context, id store.ID) (store.Delivery, error)
	KeepDelivery(ctx context.Context, d store.Delivery) error
}

// Deliveries reads the delivery log: what became of each mail, never its code.
type Deliveries struct {
	store DeliveryStore
	book
}

// NewDeliveries makes a reader of the log.
func NewDeliveries(s DeliveryStore, ring *keyring.Ring) *Deliveries {
	return &Deliveries{store: s, book: newBook(ring)}
}

// Delivery is one mail, as the command and the management API show it.
type Delivery struct {
	ID        string      `json:"id"`
	To        string      `json:"to"` // masked in lists; "" if it cannot be told any more
	UsageType store.Usage `json:"usageType"`
	Locale    string      `json:"locale"`
	State     string      `json:"state"`
	Connector string      `json:"connector"`
	Attempts  int         `json:"attempts"`
	Provider  string      `json:"providerId"`
	Error     string      `json:"error"`    // why it was not sent
	Feedback  string      `json:"feedback"` // what the provider told later
	Times     Times       `json:"times"`
	Challenge store.ID    `json:"-"` // that it is a mail of
}

// Times are when things happened to a mail.
type Times struct {
	Created    time.Time  `json:"created"`
	Sent       *time.Time `json:"sent,omitempty"` // given to the provider
	Delayed    *time.Time `json:"delayed,omitempty"`
	Delivered  *time.Time `json:"delivered,omitempty"`
	Bounced    *time.Time `json:"bounced,omitempty"`
	Complained *time.Time `json:"complained,omitempty"`
	Rejected   *time.Time `json:"rejected,omitempty"`
	Expires    time.Time  `json:"expires"` // not worth sending after
}

// Query chooses mails. A zero field chooses by nothing.
type Query struct {
	To        store.Email
	State     string // one of [StateNames]
	Connector string
	Usage     store.Usage
	Before    string // id of the last mail of the page before
	Limit     int

	Since, Until time.Time // when they were queued; Until is not included
}

// List gives mails, newest first, addresses masked. The error is [store.Invalid] for
// a query that says nothing.
func (d *Deliveries) List(ctx context.Context, q Query) ([]Delivery, error) {
	f, err := d.filter(q)
	if err != nil {
		return nil, err
	}
	return d.list(ctx, f)
}

// Look is List for who waits for it: where few of many mails may fit, it looks at some
// thousands and no more. further is where to go on; "" at the end.
func (d *Deliveries) Look(ctx context.Context, q Query) (found []Delivery, further string, err error) {
	f, err := d.filter(q)
	if err != nil {
		return nil, "", err
	}
	if f.IsNarrow() {
		f.Newest = lookedAt
	}
	if found, err = d.list(ctx, f); err != nil || f.Limit > 0 && len(found) == f.Limit {
		if err == nil {
			further = found[len(found)-1].ID
		}
		return found, further, err
	}
	if f.Newest > 0 {
		end, err := d.store.DeliveriesReach(ctx, f)
		if err != nil || end.IsZero() {
			return found, "", err
		}
		further = end.String()
	}
	return found, further, nil
}

// lookedAt is how many mails [Deliveries.Look] looks at: what takes some 10 ms.
const lookedAt = 10_000

func (d *Deliveries) filter(q Query) (store.DeliveryFilter, error) {
	const op = "list mails"
	f := store.DeliveryFilter{Sender: q.Connector, Usage: q.Usage, Limit: q.Limit, Since: q.Since, Until: q.Until}
	if q.To != "" {
		f.Addresses = d.addresses.Sums([]byte(q.To))
	}
	if q.Before != "" {
		var err error
		if f.Before, err = store.ParseID(q.Before); err != nil {
			return f, &store.Error{Code: store.Invalid, Op: op, Err: err}
		}
	}
	f.Withheld = q.State == withheld
	if q.State != "" && !f.Withheld {
		f.State = stateOf(q.State)
		if f.State == 0 {
			return f, &store.Error{Code: store.Invalid, Op: op, Err: fmt.Errorf("a mail is never %q", q.State)}
		}
	}
	return f, nil
}

func (d *Deliveries) list(ctx context.Context, f store.DeliveryFilter) ([]Delivery, error) {
	found, err := d.store.Deliveries(ctx, f)
	if err != nil {
		return nil, err
	}
	views := make([]Delivery, len(found))
	for i := range found {
		views[i] = d.view(&found[i])
		if views[i].To != "" {
			views[i].To = address.Mask(store.Email(views[i].To))
		}
	}
	return views, nil
}

func stateOf(name string) store.MailState {
	return store.MailState(1 + slices.Index(StateNames(), name)) //nolint:gosec // a handful of names, in the order of the states
}

// Show gives one mail with its whole address. The error is [store.NotFound].
func (d *Deliveries) Show(ctx context.Context, id string) (Delivery, error) {
	key, err := store.ParseID(id)
	if err != nil {
		return Delivery{}, &store.Error{Code: store.NotFound, Op: "read mail", Err: err}
	}
	found, err := d.store.Delivery(ctx, key)
	if err != nil {
		return Delivery{}, err
	}
	return d.view(&found), nil
}

func (d *Deliveries) view(m *store.Delivery) Delivery {
	v := Delivery{
		ID: m.ID.String(), To: string(d.recipient(m.Recipient, m.Address)), UsageType: m.Usage, Locale: m.Locale, State: stateNames[m.State], Connector: m.Sender,
		Attempts: m.Attempts, Provider: m.Provider, Error: m.Error, Feedback: m.Feedback, Challenge: m.Challenge,
		Times: Times{Created: m.CreatedAt, Delayed: maybe(m.DelayedAt), Delivered: maybe(m.DeliveredAt), Bounced: maybe(m.BouncedAt),
			Complained: maybe(m.ComplainedAt), Rejected: maybe(m.RejectedAt), Expires: m.ExpiresAt},
	}
	switch {
	case m.Decoy:
		v.State, v.Error, v.Connector, v.Provider, v.Attempts = withheld, whyWithheld, "", "", 0
	case m.State >= store.MailDelayed || m.State == store.MailSent:
		v.Times.Sent = maybe(m.SettledAt)
	case m.State == store.MailFailed:
		v.Times.Delayed = nil // it was for good
	}
	return v
}

func maybe(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// KeepTest writes down a mail that [TestSend] sent, or did not, with what its
// provider had against it.
func (d *Deliveries) KeepTest(ctx context.Context, t Test, sent Tested, refused *SendError) error {
	hash := d.addresses.Sums([]byte(t.To))[0]
	kept := store.Delivery{ID: sent.ID, Usage: cmp.Or(t.Usage, store.UsageGeneric), Locale: sent.Locale, Address: hash, Recipient: d.recipients.Seal([]byte(t.To), hash[:]),
		State: store.MailSent, Sender: t.Connector, Provider: sent.Provider}
	if refused != nil {
		kept.State, kept.Error = store.MailFailed, hide(refused.Error(), store.Message{To: t.To, Code: testCode})
	}
	return d.store.KeepDelivery(ctx, kept)
}
