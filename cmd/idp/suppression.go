package main

import (
	"context"
	"fmt"

	"idp/audit"
	"idp/mailer"
	"idp/store"
	"idp/store/address"
	"idp/webhook"
)

type suppressionCmd struct {
	List   suppressionListCmd   `cmd:"" help:"List the addresses that take no mail, newest first."`
	Show   suppressionShowCmd   `cmd:"" help:"Tell why an address takes no mail."`
	Add    suppressionAddCmd    `cmd:"" help:"Send no more mail to an address."`
	Remove suppressionRemoveCmd `cmd:"" help:"Send mail to an address again."`
}

type suppressionListCmd struct {
	jsonFlag
	Full   bool   `help:"Show whole addresses."`
	Limit  int    `help:"At most so many." default:"50"`
	Before string `help:"Go on behind the row with this cursor: the next page." placeholder:"CURSOR"`
}

// Run lists addresses.
func (c *suppressionListCmd) Run(a *app) error {
	if c.Limit < 1 || c.Limit > maxRows {
		return usage(fmt.Errorf("--limit is %d: choose 1 to %d", c.Limit, maxRows), "For more, go on with --before.")
	}
	return a.with(func(ctx context.Context, in *instance) error {
		list, err := in.admin.Suppressions(ctx, c.Before, c.Limit, c.Full)
		switch {
		case store.CodeOf(err) == store.Invalid:
			return usage(err, "--before takes the cursor that idp suppression list gave.")
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(list)
		case len(list) == 0:
			a.note("No address is suppressed.")
			return nil
		}
		rows := [][]string{{"ADDRESS", "SINCE", "REASON", "CONNECTOR", "DETAIL"}}
		for _, s := range list {
			rows = append(rows, []string{orDash(s.Address), day(s.CreatedAt), string(s.Reason), orDash(s.Connector), orDash(short(s.Detail))})
		}
		if err := a.table(rows...); err != nil {
			return err
		}
		if len(list) == c.Limit {
			a.note("There may be more: --before %s", list[len(list)-1].Cursor)
		}
		return nil
	})
}

// recipient is an address on the command line.
type recipient struct {
	Address string `arg:"" help:"Email address."`
}

func (r recipient) parse() (store.Email, error) {
	to, err := address.Parse(r.Address)
	if err != nil {
		return "", usage(fmt.Errorf("%q: %w", printable(r.Address), err), "")
	}
	return to, nil
}

type suppressionShowCmd struct {
	jsonFlag
	recipient `embed:""`
}

// Run shows one address.
func (c *suppressionShowCmd) Run(a *app) error {
	to, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		s, err := in.admin.Suppression(ctx, to)
		switch {
		case err != nil:
			return notSuppressed(err, to)
		case c.JSON:
			return a.printJSON(s)
		}
		return a.table([]string{"Address", orDash(s.Address)}, []string{"Since", moment(&s.CreatedAt)}, []string{"Reason", string(s.Reason)},
			[]string{"Connector", orDash(s.Connector)}, []string{"Detail", orDash(s.Detail)}, []string{"Mail", orDash(s.Mail)})
	})
}

type suppressionAddCmd struct {
	recipient `embed:""`
	Note      string `help:"Why, for those who look later." placeholder:"TEXT"`
}

// Run puts an address on the list.
func (c *suppressionAddCmd) Run(a *app) error {
	to, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		err := in.admin.Suppress(ctx, audit.Command(), to, c.Note)
		if store.CodeOf(err) == store.Conflict {
			return failed(fmt.Errorf("%s is on the list already", to), "See why: idp suppression show "+string(to))
		}
		if err == nil {
			a.note("No mail goes to %s any more, codes included: nobody can sign in with it until it is removed.", to)
		}
		return err
	})
}

type suppressionRemoveCmd struct {
	recipient `embed:""`
}

// Run takes an address off the list.
func (c *suppressionRemoveCmd) Run(a *app) error {
	to, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		if err := in.admin.LiftSuppression(ctx, audit.Command(), to); err != nil {
			return notSuppressed(err, to)
		}
		a.note("Mail goes to %s again. If it was on a list of the provider's as well, take it off there, too.", to)
		return nil
	})
}

func notSuppressed(err error, to store.Email) error {
	if store.CodeOf(err) == store.NotFound {
		return failed(fmt.Errorf("%s is not suppressed", to), "See all that are: idp suppression list")
	}
	return err
}

// suppressed is what webhooks are told of a suppressed address.
func (in *instance) suppressed(ctx context.Context, target string) (webhook.Suppressed, error) {
	s, err := mailer.NewSuppressions(in.db, in.ring).Told(ctx, target)
	return webhook.Suppressed{Address: s.Address, Reason: string(s.Reason), Detail: s.Detail, Mail: s.Mail, CreatedAt: s.CreatedAt.UnixMilli()}, err
}
