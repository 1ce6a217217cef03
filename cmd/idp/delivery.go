package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"idp/mailer"
	"idp/store"
	"idp/store/address"
)

type deliveryCmd struct {
	List deliveryListCmd `cmd:"" help:"List the newest mails; addresses are masked."`
	Show deliveryShowCmd `cmd:"" help:"Show one mail with its address; its code is not kept."`
}

type deliveryListCmd struct {
	jsonFlag
	To        string `help:"Only those to this address." placeholder:"ADDRESS"`
	State     string `help:"Only those in this state: ${mail_states}." placeholder:"STATE"`
	Connector string `help:"Only those that this connector took or refused." placeholder:"NAME"`
	Limit     int    `help:"At most so many." default:"50"`
	Before    string `help:"Only older ones than the mail with this id: the next page." placeholder:"ID"`
}

// maxRows is how many rows a list gives at once.
const maxRows = 1000

// Run lists mails.
func (c *deliveryListCmd) Run(a *app) error {
	if c.Limit < 1 || c.Limit > maxRows {
		return usage(fmt.Errorf("--limit is %d: choose 1 to %d", c.Limit, maxRows), "For more, go on with --before.")
	}
	q := mailer.Query{State: c.State, Connector: c.Connector, Before: c.Before, Limit: c.Limit}
	if c.To != "" {
		var err error
		if q.To, err = address.Parse(c.To); err != nil {
			return usage(fmt.Errorf("--to: %w", err), "")
		}
	}
	return a.with(func(ctx context.Context, in *instance) error {
		mails, err := in.admin.Deliveries(ctx, q)
		switch {
		case store.CodeOf(err) == store.Invalid:
			return usage(err, "States: "+strings.Join(mailer.StateNames(), ", ")+". --before takes the id of a mail.")
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(mails)
		case len(mails) == 0:
			a.note("No such mail.")
			return nil
		}
		rows := [][]string{{"ID", "CREATED", "TO", "USAGE", "STATE", "CONNECTOR", "WHY"}}
		for _, m := range mails {
			why := m.Feedback
			if why == "" {
				why = m.Error
			}
			rows = append(rows, []string{m.ID, day(m.Times.Created), orDash(m.To), string(m.UsageType), m.State, orDash(m.Connector), orDash(short(why))})
		}
		if err := a.table(rows...); err != nil {
			return err
		}
		if len(mails) == c.Limit {
			a.note("There may be more: --before %s", mails[len(mails)-1].ID)
		}
		return nil
	})
}

// short cuts a text for a column.
func short(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

type deliveryShowCmd struct {
	jsonFlag
	ID string `arg:"" help:"Id of the mail."`
}

// Run shows one mail.
func (c *deliveryShowCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		m, err := in.admin.Delivery(ctx, c.ID)
		switch {
		case store.CodeOf(err) == store.NotFound:
			return failed(fmt.Errorf("there is no mail %q", printable(c.ID)), "See the newest: idp delivery list")
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(m)
		}
		rows := [][]string{
			{"ID", m.ID}, {"To", orDash(m.To)}, {"Usage", string(m.UsageType)}, {"Language", orDash(m.Locale)}, {"State", m.State},
			{"Connector", orDash(m.Connector)}, {"Attempts", strconv.Itoa(m.Attempts)}, {"Provider's id", orDash(m.Provider)},
		}
		for _, one := range [][]string{{"Error", m.Error}, {"Feedback", m.Feedback}} {
			if one[1] != "" {
				rows = append(rows, one)
			}
		}
		rows = append(rows, []string{"Created", moment(&m.Times.Created)})
		for _, one := range []struct {
			name string
			at   *time.Time
		}{
			{"Sent", m.Times.Sent}, {"Delayed", m.Times.Delayed}, {"Delivered", m.Times.Delivered}, {"Bounced", m.Times.Bounced},
			{"Complained", m.Times.Complained}, {"Rejected", m.Times.Rejected}, {"Expires", &m.Times.Expires},
		} {
			if one.at != nil {
				rows = append(rows, []string{one.name, moment(one.at)})
			}
		}
		return a.table(rows...)
	})
}

// moment is a time to the second.
func moment(t *time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }
