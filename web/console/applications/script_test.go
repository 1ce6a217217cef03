//go:build browser

package applications_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"idp/store"
	"idp/web/webtest"
)

// While an address is typed, what is wrong with it is said beside the field, in the words
// that saving uses, and goes away again.
func TestScriptChecksAddresses(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	b := f.Operator(store.RoleAdmin).Tab()
	b.Act(chromedp.Navigate(f.Server.URL+"/console/applications/new?for=flask"), chromedp.WaitVisible(chromedp.CSS("#f-redirectUris")))
	b.Paste("#f-redirectUris", "http://shop.example/callback")
	b.Eventually(`document.querySelector("#f-redirectUris-error")?.innerText === "Line 1 is http on a host that is not this machine (localhost): use https."`)
	b.Eventually(`document.querySelector("#f-redirectUris").getAttribute("aria-describedby") === "f-redirectUris-error f-redirectUris-hint"`)
	b.Paste("#f-redirectUris", "https://shop.example/callback")
	b.Eventually(`document.querySelector("#f-redirectUris-error").hidden && !document.querySelector("#f-redirectUris").hasAttribute("aria-invalid")`)
}
