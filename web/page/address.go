package page

import (
	"strings"

	"golang.org/x/net/idna"

	"idp/store"
)

// Address is an address as people write it: the domain in its own script.
func Address(e store.Email) string {
	at := strings.LastIndexByte(string(e), '@') + 1
	local, domain := string(e[:at]), string(e[at:])
	if !strings.Contains(domain, "xn--") {
		return string(e)
	}
	readable, err := idna.Display.ToUnicode(domain)
	if err != nil {
		return string(e)
	}
	return local + readable
}
