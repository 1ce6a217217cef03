package admin

import (
	"context"
	"time"

	"idp/audit"
	"idp/mailer"
	"idp/store"
)

// mailStore is where it stands what became of mails, and which addresses take none.
type mailStore interface {
	mailer.DeliveryStore
	mailer.SuppressionStore
}

// Delivery is what is known about one mail; never its code.
type Delivery = mailer.Delivery

// Stayed tells that the development mailbox has taken a mail: nobody outside was sent it.
func Stayed(d Delivery) bool { return d.State == "sent" && d.Connector == connectorInbox }

// DeliveryQuery chooses mails.
type DeliveryQuery = mailer.Query

// Suppression is an address that takes no mail.
type Suppression = mailer.Suppression

// Deliveries lists mails, newest first, with their addresses masked. The error is
// [store.Invalid] for a state or a place in the list that there is none of.
func (s *Service) Deliveries(ctx context.Context, q DeliveryQuery) ([]Delivery, error) {
	return s.deliveries.List(ctx, q)
}

// LookAtDeliveries is Deliveries for who waits for it: where few of many mails may fit, it looks
// at some thousands and no more. further is the place to go on at; "" at the end.
func (s *Service) LookAtDeliveries(ctx context.Context, q DeliveryQuery) (found []Delivery, further string, err error) {
	return s.deliveries.Look(ctx, q)
}

// MailStates are what a mail's state can be called.
func MailStates() []string { return mailer.StateNames() }

// MailsOfDay counts the mails of the last 24 hours by state. More says that there were more
// than were counted.
func (s *Service) MailsOfDay(ctx context.Context) (counts map[string]int, more bool, err error) {
	found, err := s.store.MailCounts(ctx, s.store.Now().Add(-24*time.Hour), countedMails)
	counts, all := map[string]int{}, 0
	for _, c := range found {
		counts[mailer.StateName(c.State)] += c.Count
		all += c.Count
	}
	return counts, all >= countedMails, err
}

// Delivery reads what is known about one mail, with its whole address. The error is
// [store.NotFound].
func (s *Service) Delivery(ctx context.Context, id string) (Delivery, error) {
	return s.deliveries.Show(ctx, id)
}

// Suppressions lists the addresses that take no mail, newest first, behind the one with the
// cursor before; full says whether addresses are whole. The error is [store.Invalid] for a
// cursor that is none.
func (s *Service) Suppressions(ctx context.Context, before string, limit int, full bool) ([]Suppression, error) {
	return s.suppressions.List(ctx, before, limit, full)
}

// Suppression tells why an address takes no mail. The error is [store.NotFound].
func (s *Service) Suppression(ctx context.Context, to store.Email) (Suppression, error) {
	return s.suppressions.Show(ctx, to)
}

// Suppress has no more mail sent to an address. note says why. Errors: [store.Conflict] if it
// is on the list already; [store.Forbidden] for an operator's to who may not do everything.
func (s *Service) Suppress(ctx context.Context, by audit.Actor, to store.Email, note string) error {
	const op = "suppress address"
	if err := checkText(op, "note", note, 0, mailer.MaxNote); err != nil {
		return err
	}
	if err := s.maySilence(ctx, op, by, to); err != nil {
		return err
	}
	return taken(s.suppressions.Add(madeBy(ctx, by), to, note), op, "the address is on the list already")
}

// LiftSuppression has mail sent to an address again. The error is [store.NotFound] if nothing
// kept it from that.
func (s *Service) LiftSuppression(ctx context.Context, by audit.Actor, to store.Email) error {
	return s.suppressions.Lift(madeBy(ctx, by), to)
}

// madeBy says who does what the store writes the entry of by itself.
func madeBy(ctx context.Context, by audit.Actor) context.Context {
	return store.WithOrigin(ctx, &store.Origin{IP: by.IP, Agent: by.Agent, Request: by.Request, Actor: by.ID})
}
