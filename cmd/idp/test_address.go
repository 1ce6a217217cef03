package main

import (
	"context"
	"fmt"
	"time"

	"idp/audit"
	"idp/store"
)

type testAddressCmd struct {
	Add    testAddressAddCmd    `cmd:"" help:"Give an address a code that is always the same, until a day."`
	Remove testAddressRemoveCmd `cmd:"" help:"Send codes to an address again, as to any other."`
	List   testAddressListCmd   `cmd:"" help:"List the addresses that have such a code."`
}

// Help says what it is for, and what it is not.
func (*testAddressCmd) Help() string {
	return `For reviews in app stores and for tests: no mail goes to such an address, and one code is always right for it. Whoever knows both is in, so use an address that
nobody's account hangs on. It ends by itself, after 90 days at most, never lets anybody into the console, and an operator's address cannot be one.`
}

type testAddressAddCmd struct {
	jsonFlag
	recipient `embed:""`
	Code      string `help:"Digits, as many as codes have here: 6, or IDP_OTP_DIGITS." required:"" placeholder:"123456"`
	OTPDigits int    `name:"otp-digits" help:"Digits of the server's codes, where it is not 6 and the setting is known here." hidden:""`
	Until     string `help:"Last day on which it works (UTC), at most 90 days ahead." required:"" placeholder:"YYYY-MM-DD"`
}

// Run makes an address one for tests, or gives it another code and day.
func (c *testAddressAddCmd) Run(a *app) error {
	email, err := c.parse()
	if err != nil {
		return err
	}
	last, err := time.Parse(time.DateOnly, c.Until)
	if err != nil {
		return usage(fmt.Errorf("--until %q is no day", printable(c.Until)), "Write it like 2026-12-31.")
	}
	if c.OTPDigits != 0 && len(c.Code) != c.OTPDigits {
		return usage(fmt.Errorf("--code has %d digits, and codes have %d here (IDP_OTP_DIGITS)", len(c.Code), c.OTPDigits), "")
	}
	return a.with(func(ctx context.Context, in *instance) error {
		t, err := in.admin.SetTestAddress(ctx, audit.Command(), string(email), c.Code, last.AddDate(0, 0, 1))
		switch {
		case store.CodeOf(err) == store.Invalid:
			return usage(err, "")
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(t)
		}
		a.note("The code you gave signs in with %s until the end of %s (UTC), and no mail goes there. Whoever knows it is in.", email, c.Until)
		return nil
	})
}

type testAddressRemoveCmd struct {
	recipient `embed:""`
}

// Run ends one.
func (c *testAddressRemoveCmd) Run(a *app) error {
	email, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		err := in.admin.RemoveTestAddress(ctx, audit.Command(), string(email))
		if store.CodeOf(err) == store.NotFound {
			return failed(fmt.Errorf("%s is no test address", email), "See those that are: idp test-address list")
		}
		if err == nil {
			a.note("The code is right no more: %s gets codes by mail. The account, if there is one, and its sessions stay.", email)
		}
		return err
	})
}

type testAddressListCmd struct{ jsonFlag }

// Run lists them, without their codes.
func (c *testAddressListCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		all, err := in.admin.TestAddresses(ctx)
		if err != nil {
			return err
		}
		rows := [][]string{{"ADDRESS", "SINCE", "UNTIL"}}
		for _, t := range all {
			until := moment(&t.EndsAt)
			if t.Expired {
				until += ", over"
			}
			rows = append(rows, []string{string(t.Email), day(t.CreatedAt), until})
		}
		switch {
		case c.JSON:
			return a.printJSON(all)
		case len(all) == 0:
			a.note("There is no test address.")
			return nil
		}
		return a.table(rows...)
	})
}
