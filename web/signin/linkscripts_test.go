//go:build browser

package signin_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"idp/web/webtest"
)

// The link opens in the same browser, in a tab of its own; the tab that waited is told
// when it is looked at again. In another browser the link shows the code.
func TestScriptsOfLink(t *testing.T) {
	f := webtest.New(t)
	b := f.Tab()
	b.Act(chromedp.Navigate(f.Server.URL + webtest.Authorize("first_screen", "register")))
	b.Act(chromedp.SendKeys(chromedp.CSS("#email"), "ada@example.com\r"), chromedp.WaitVisible(chromedp.CSS("#code")))
	f.Code("ada@example.com", 1)
	m := f.Mail("ada@example.com", 1)
	other := f.Tab()
	other.Act(chromedp.Navigate(m.Link))
	other.Eventually(`document.querySelector(".shown-code").innerText.trim() === "` + m.Code + `" && !document.querySelector("form")`)
	b.Eventually(`(fetch("` + m.Link + `").then(r => r.text()).then(t => window.linked = t), true)`)
	b.Eventually(`/Create your Bookstore account/.test(window.linked)`)
	b.Eventually(`document.querySelector("#verify").checkVisibility()`)
	b.Eventually(`(() => { // the other tab's button
		const form = new DOMParser().parseFromString(window.linked, "text/html").querySelector("form");
		fetch(form.getAttribute("action"), { method: "POST", redirect: "manual", body: new URLSearchParams(new FormData(form)) }).then(() => (window.pressed = true));
		return true; })()`)
	b.Eventually(`window.pressed`)
	b.Eventually(`(document.dispatchEvent(new Event("visibilitychange")), !document.querySelector("#verify").checkVisibility())`)
	b.Eventually(`/another tab/.test(document.querySelector("#mail").innerText)`)
}
