package mailer

import (
	"maps"
	"slices"
	"time"

	"idp/store"
)

// Usages are the mails that there are words for.
func Usages() []store.Usage {
	return []store.Usage{store.UsageSignIn, store.UsageRegister, store.UsageForgotPassword, store.UsageGeneric,
		store.UsageUserPermissionValidation, store.UsageBindNewIdentifier, store.UsageOrganizationInvitation,
		store.UsageRecovered, store.UsageNoAccount, store.UsageClosed, store.UsageMfaVerification, store.UsageBindMfa}
}

// Locales are the languages that mails are worded in.
func Locales() []string { return slices.Sorted(maps.Keys(catalogues)) }

// Preview shows the mail that goes out for a usage and a language with these
// templates of the operator, filled with sample data. A draft is previewed as the
// only one.
func Preview(usage store.Usage, locale string, templates ...store.MailTemplate) (Rendered, error) {
	return new(renderer).compose(sample(usage, locale), templates, nil)
}

// sample is made up: the names and addresses are those that are kept for examples
// (RFC 2606, RFC 5737).
func sample(usage store.Usage, locale string) store.Message {
	m := store.Message{To: "ada@example.com", Usage: usage, Locale: locale, Code: "123456", CodeTTL: 10, App: "Bookstore",
		Browser: "Firefox on Windows", Place: "203.0.113.7", Asked: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
		Link: "https://id.example.com/verify/link?t=sample", NotMe: "https://id.example.com/not-me?t=sample", Organization: "Readers’ Club"}
	if !coded(usage) {
		m.Code = ""
	}
	if usage == store.UsageRecovered || usage == store.UsageNoAccount || usage == store.UsageClosed { // there is nothing to sign in to
		m.Link = ""
	}
	return m
}
