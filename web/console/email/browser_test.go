//go:build browser

package email_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"idp/store"
)

// With scripts the preview follows what is typed, without filling the browser's history, and
// a variable is put in at the cursor; a test leaves what was typed.
func TestScripts(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	b := f.Operator(store.RoleOwner).Tab()
	b.Act(chromedp.Navigate(f.Server.URL + words))
	b.Eventually(`document.querySelector("[data-insert]")?.hidden === false`)
	b.Paste("#f-content", "<p>{{ code }} ")
	b.Eventually(`document.querySelectorAll(".mailview iframe").length === 1 && document.querySelector(".mailview iframe").name === "mail-1" && !document.querySelector(".coming")`)
	b.Act(chromedp.Click(chromedp.CSS(".variables summary")), chromedp.Click(chromedp.CSS("[data-insert*='minutes']")))
	b.Eventually(`document.querySelector("#f-content").value === "<p>{{ code }} {{ minutes }}"`)
	b.Eventually(`document.querySelector(".mailview iframe").name === "mail-2" && history.length < 9`)
	b.Act(chromedp.Click(chromedp.CSS("button.second[value=test]")))
	b.Eventually(`document.activeElement.matches(".done.tested") && document.querySelector("#f-content").value === "<p>{{ code }} {{ minutes }}"`)
}

// JSON is checked as it is typed.
func TestScriptsOfJSON(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	b := f.Operator(store.RoleOwner).Tab()
	b.Act(chromedp.Navigate(f.Server.URL + root + "/templates/json"))
	b.Eventually(`document.querySelector(".live")?.textContent === "Valid JSON."`)
	b.Paste("#f-templates", "[{},,]")
	b.Eventually(`document.querySelector(".live.error")?.textContent === "Not valid JSON yet: line 1, column 5."`)
}
