package doctor

import (
	"context"
	"net"
	"slices"
	"strings"

	"idp/mailer"
)

// Domain is a domain that mails come from.
type Domain struct {
	Name     string          // in punycode
	Include  string          // what the provider wants in the SPF record, "amazonses.com", or ""
	Host     string          // the server that mails are handed to, or ""
	Records  []mailer.Record // what the provider, or the sender's own signature, needs
	Selector string          // of a DKIM key that the operator named, or ""
	Unasked  bool            // the provider could not be asked for Records, and that is told
	DNS      Resolver
}

// Check looks at SPF, DKIM, DMARC and MX. Without an answer to the first question the
// others are not asked: they would each wait as long.
func (d Domain) Check(ctx context.Context, tell Tell) {
	records, err := txt(ctx, d.DNS, d.Name)
	if err != nil {
		tell.Warn("DNS", "Run it where the DNS can be reached, or name a server: --dns 9.9.9.9",
			"the records of %s could not be asked for: %v", d.Name, err)
		return
	}
	if len(records) == 0 && !d.exists(ctx) {
		tell.Warn("DNS", "If it exists, this DNS server does not see it: name another, --dns 9.9.9.9. If it does not, receivers refuse mail from it.",
			"%s has no text, no MX and no address", d.Name)
		return
	}
	d.checkSPF(ctx, tell, records)
	d.checkDKIM(ctx, tell)
	d.checkDMARC(ctx, tell)
	d.checkMX(ctx, tell)
}

// exists tells whether the name has anything to do with mail. A server that knows no
// names but its own would have us ask for each record to be added.
func (d Domain) exists(ctx context.Context) bool {
	servers, err := mx(ctx, d.DNS, d.Name)
	if err != nil || len(servers) > 0 {
		return true
	}
	addresses, err := hosts(ctx, d.DNS, d.Name)
	return err != nil || len(addresses) > 0
}

// unasked is a question in the middle that got no answer.
func (d Domain) unasked(tell Tell, check, name string, err error) {
	tell.Warn(check, "Run it again.", "%s could not be asked for: %v", name, err)
}

// checkMX: bounces and replies go there. A domain that says it takes no mail at all is
// refused as a sender by many (RFC 7505 section 4.2).
func (d Domain) checkMX(ctx context.Context, tell Tell) {
	const check = "MX"
	found, err := mx(ctx, d.DNS, d.Name)
	if err != nil {
		d.unasked(tell, check, "the MX of "+d.Name, err)
		return
	}
	var names []string
	for _, one := range found {
		names = append(names, strings.TrimSuffix(one.Host, "."))
	}
	null := func(one *net.MX) bool { return one.Host == "." || one.Host == "" }
	switch {
	case slices.ContainsFunc(found, null):
		tell.Fail(check, "Take the null MX away, or send from a domain that takes mail.",
			"%s says that it takes no mail (a null MX): many receivers refuse mail from it", d.Name)
	case len(names) > 0:
		tell.OK(check, "%s takes mail at %s", d.Name, strings.Join(names, ", "))
	default:
		fix := "Add a record, with your mail server's name:\n" + d.Name + ".  MX  10 mail." + d.Name + "."
		addresses, err := hosts(ctx, d.DNS, d.Name)
		if err == nil && len(addresses) > 0 {
			tell.Warn(check, fix, "%s has no MX; bounces and replies go to its address %s", d.Name, addresses[0])
			return
		}
		tell.Warn(check, fix, "%s has no MX and no address: bounces and replies reach nobody, and some receivers refuse mail from such a domain", d.Name)
	}
}

// record prints a TXT record to be added.
func record(name, value string) string { return name + ".  TXT  \"" + value + "\"" }
