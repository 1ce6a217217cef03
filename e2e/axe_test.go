package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

// axe is axe-core from npm, unmodified, installed once.
var axe = sync.OnceValues(func() (string, error) {
	if err := installed("clients/axe"); err != nil {
		return "", fmt.Errorf("npm ci: %w (install Node.js and npm)", err)
	}
	text, err := os.ReadFile("clients/axe/node_modules/axe-core/axe.min.js")
	return string(text), err
})

// accessible holds the page that the tab shows against axe's rules of WCAG 2.2 AA.
// One is off: the address field says autocomplete="username email", two names where
// HTML has one, because password managers fill the one and browsers the other. only, if given,
// are the rules to hold it against.
func (b tab) accessible(name string, only ...string) {
	b.t.Helper()
	script, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	if !get(b, chromedp.Evaluate[bool]("'axe' in window")) {
		get(b, chromedp.Evaluate[bool](script+"; true"))
	}
	run := `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`
	if only != nil {
		run = "{type: 'rule', values: ['" + strings.Join(only, "', '") + "']}"
	}
	found := get(b, chromedp.Evaluate[[]string](`axe.run({runOnly: `+run+`,
		rules: {'autocomplete-valid': {enabled: false}}})
		.then(r => r.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html.slice(0, 120)).join(' | ')))`, chromedp.EvalAwaitPromise))
	if len(found) > 0 {
		b.t.Errorf("%s: %s", name, strings.Join(found, "\n"))
	}
}
