package doctor

import (
	"context"
	"strings"

	"idp/mailer"
)

// checkDKIM looks for the records that the sender names. A sender that leaves signing
// to a server behind it names none: only a mail that arrived shows the selector.
func (d Domain) checkDKIM(ctx context.Context, tell Tell) {
	const check = mailer.PurposeDKIM
	for _, r := range d.Records {
		d.checkRecord(ctx, tell, r)
	}
	switch {
	case d.Selector != "":
		d.checkRecord(ctx, tell, mailer.Record{Purpose: check, Type: "TXT", Name: d.Selector + "._domainkey." + d.Name})
	case len(d.Records) == 0 && !d.Unasked:
		tell.Warn(check, "Look for s= in the DKIM-Signature of a mail that arrived, then: idp doctor --dkim-selector NAME",
			"whether mails from %s are signed cannot be known here: the selector of the key is not", d.Name)
	}
}

// checkRecord compares one record with what is published.
func (d Domain) checkRecord(ctx context.Context, tell Tell, want mailer.Record) {
	check := want.Purpose
	fix := "Add this record:\n" + want.Name + ".  " + want.Type + "  " + want.Value
	if want.Type == "TXT" {
		fix = "Add this record:\n" + record(want.Name, want.Value)
	}
	if want.Type == "MX" {
		found, err := mx(ctx, d.DNS, want.Name)
		switch {
		case err != nil:
			d.unasked(tell, check, want.Name, err)
		case len(found) == 0:
			tell.Fail(check, fix, "%s has no MX", want.Name)
		default:
			tell.OK(check, "%s has an MX", want.Name)
		}
		return
	}
	// A CNAME is followed to the key behind it.
	found, err := txt(ctx, d.DNS, want.Name)
	if err != nil {
		d.unasked(tell, check, want.Name, err)
		return
	}
	if check == mailer.PurposeDKIM {
		checkKey(tell, want, found, fix)
		return
	}
	if strings.HasPrefix(want.Value, "v=spf1") && len(spfRecords(found)) == 1 {
		tell.OK(check, "%s has an SPF record", want.Name)
		return
	}
	tell.Fail(check, fix, "%s is not published", want.Name)
}

// checkKey: RFC 6376 section 3.6.1. An empty p is a key that was taken back.
func checkKey(tell Tell, want mailer.Record, found []string, fix string) {
	const check = mailer.PurposeDKIM
	if want.Value == "" {
		fix = "Publish the public key there, as your mail server or provider shows it."
	}
	wanted := ""
	if want.Type == "TXT" {
		wanted = tags(want.Value)["p"]
	}
	for _, one := range found {
		switch p, ok := tags(one)["p"]; {
		case !ok:
		case p == "":
			tell.Fail(check, fix, "the key at %s was taken back (its p is empty)", want.Name)
			return
		case wanted != "" && p != wanted:
			tell.Fail(check, fix, "%s publishes another key than the one that signs", want.Name)
			return
		default:
			tell.OK(check, "%s publishes the key", want.Name)
			return
		}
	}
	tell.Fail(check, fix, "%s publishes no key: signatures cannot be checked", want.Name)
}
