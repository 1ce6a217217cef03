package address

import (
	"sort"
	"strings"
	"sync"

	_ "embed"
)

// disposable is the domains of throw-away mailboxes: one a line, sorted. Its first lines
// say where it is from.
//
//go:embed disposable.txt
var disposable string

// disposableDomains cuts the list into its lines, when it is first asked for: most
// instances never do.
var disposableDomains = sync.OnceValue(func() []string {
	lines := strings.Split(strings.TrimSpace(disposable), "\n")
	for len(lines) > 0 && strings.HasPrefix(lines[0], "#") {
		lines = lines[1:]
	}
	return lines
})

// Disposable tells whether a domain, or one that it is below, hands out mailboxes to be
// thrown away.
func Disposable(domain string) bool {
	list := disposableDomains()
	for domain != "" {
		if i := sort.SearchStrings(list, domain); i < len(list) && list[i] == domain {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}
