package mailer

import (
	"cmp"
	"strconv"
	"strings"

	"idp/store"
)

// starterTTL stands for the minutes in a starter until the name takes its place. It
// occurs nowhere else in a mail, and has the plural form of most numbers.
const starterTTL = 987_654

// Starter is our own mail for a usage and a language as a template: what to begin with
// for somebody who words it anew. What a mail may lack (the links, but for that of an invitation) is left out,
// because a template has no conditions.
func Starter(usage store.Usage, locale string) (store.MailTemplate, error) {
	const app, organization = "{{ application.name }}", "{{ organization.name }}"
	lang, _ := match(catalogues, locale)
	k := frameKey{locale: lang, app: app, organization: organization, usage: worded(usage), when: true, where: true, browser: true}
	if coded(usage) {
		k.code, k.ttl = shortCode, starterTTL
	}
	k.link = usage == store.UsageOrganizationInvitation
	f, err := k.render()
	if err != nil {
		return store.MailTemplate{}, err
	}
	names := map[rune]string{markCode: "{{ code }}", markWhen: "{{ request.time }}", markWhere: "{{ request.place }}", markBrowser: "{{ request.browser }}", markLink: "{{ link }}"}
	content := fill(f.html, func(mark rune) string { return names[mark] })
	content = strings.ReplaceAll(content, string(preheaderPadding), "")
	content = strings.ReplaceAll(content, strconv.Itoa(starterTTL), "{{ minutes }}")
	return store.MailTemplate{Usage: usage, Locale: cmp.Or(locale, lang), Subject: f.subject, Content: content, ContentType: typeHTML}, nil
}
