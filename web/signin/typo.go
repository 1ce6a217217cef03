package signin

import (
	"strings"

	"idp/store"
)

// popular are domains that many people mean when they type something close.
var popular = []string{
	"gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com", "protonmail.com",
	"yahoo.co.jp", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp",
}

// genuine are domains that are close to a popular one and have mailboxes of their own.
var genuine = map[string]bool{
	"ymail.com": true, "mail.com": true, "email.com": true, "gmx.com": true,
	"hotmail.co.jp": true, "yahoo.co": true, "cloud.com": true, "protonmail.ch": true,
}

// suggest gives the address that was likely meant, or "".
func suggest(e store.Email) string {
	domain := domainOf(e)
	if genuine[domain] {
		return ""
	}
	for _, p := range popular {
		if domain == p {
			return ""
		}
	}
	for _, p := range popular {
		if isSlip(domain, p) {
			return strings.TrimSuffix(string(e), domain) + p
		}
	}
	return ""
}

// isSlip tells whether two texts differ by one slip of a finger: a letter too
// many, one missing, one wrong, or two neighbours swapped.
func isSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if i == len(a) {
		return len(b) == i+1
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
