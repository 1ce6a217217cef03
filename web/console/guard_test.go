//go:build browser

package console_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"idp/store"
	"idp/web/webtest"
)

// warns tells whether leaving the page asks first.
const warns = `(() => { const e = new Event("beforeunload", {cancelable: true}); dispatchEvent(e); return e.defaultPrevented; })()`

// Leaving asks first while something is unsaved, and only then.
func TestLeavingUnsaved(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	b := f.Operator(store.RoleAdmin).Tab()
	b.Act(chromedp.Navigate(f.Server.URL+"/console/applications/new?for=flask"), chromedp.WaitVisible(chromedp.CSS("#f-name")))
	b.Eventually(`!` + warns)
	b.Paste("#f-name", "Shop")
	b.Eventually(warns)
	create := chromedp.Click(chromedp.CSS("form[data-guard] button"))
	b.Act(create)
	b.Eventually(`location.pathname === "/console/applications" && !` + warns)
	b.Act(chromedp.Evaluate[chromedp.Void](`history.back()`))
	b.Eventually(`location.pathname.endsWith("/new") && document.readyState === "complete" && !` + warns) // it was saved
	b.Paste("#f-name", "Other")
	b.Eventually(warns)
}
