// Package doctor looks for what keeps sign-ins from working, from outside: the DNS
// records of the sender's domain, the server at its public address, and the flow of
// one app. It changes nothing and sends no mail.
//
//	Domain.Check    SPF, DKIM, DMARC and MX of a sender's domain
//	Issuer.Check    discovery, certificate, keys, readiness, as a client meets them
//	App.Check       a client's registration, and its flow up to where a person would type
//	App.CheckURL    an authorization request that an app really sent
//
// What it finds it tells at once, each with what mends it: some of it takes seconds, and
// whoever waits wants to see how far it is.
package doctor

import (
	"fmt"

	"idp/mailer"
)

// Tell takes each finding as it is made.
type Tell func(mailer.Finding)

// OK tells that a check found nothing to mend.
func (t Tell) OK(check, format string, args ...any) {
	t(mailer.Finding{Check: check, Level: mailer.OK, Text: fmt.Sprintf(format, args...)})
}

// Warn tells of something that works and could be better, or that could not be looked at.
func (t Tell) Warn(check, fix, format string, args ...any) {
	t(mailer.Finding{Check: check, Level: mailer.Warning, Text: fmt.Sprintf(format, args...), Fix: fix})
}

// Fail tells of something that does not work.
func (t Tell) Fail(check, fix, format string, args ...any) {
	t(mailer.Finding{Check: check, Level: mailer.Failure, Text: fmt.Sprintf(format, args...), Fix: fix})
}
