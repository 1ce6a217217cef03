//go:build browser

package experience_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// The preview follows what is typed, without an entry in the browser's history; leaving with
// something unsaved would warn.
func TestPreviewFollowsTyping(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	b := f.Tab().As(f.Operator(store.RoleOwner))
	b.Act(chromedp.Navigate(f.Server.URL + home))
	b.Eventually(`document.querySelector("[data-preview]").hidden && document.querySelectorAll("input[type=color]").length == 2`)
	b.Act(chromedp.WaitReady(chromedp.CSS("iframe")))
	b.Eventually(`(() => { const i = document.getElementById("f-color-primaryColor"); i.value = "#f80"; i.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`)
	b.Eventually(`document.querySelectorAll("iframe").length == 1 && document.querySelector("iframe").name == "preview-1"`)
	b.Eventually(`document.querySelector(".contrast").textContent.startsWith("Dark text") && document.querySelector("input[type=color]").value == "#ff8800"`)
	b.Eventually(`history.length <= 2`)
	// What is half typed leaves the frame as it is.
	b.Eventually(`(() => { const i = document.getElementById("f-color-primaryColor"); i.value = "#f8"; i.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`)
	time.Sleep(time.Second)
	b.Eventually(`document.querySelector("iframe").name == "preview-1"`)
	b.Eventually(`(() => { const s = document.getElementById("p-preview.width"); s.value = "phone"; s.dispatchEvent(new Event("input", { bubbles: true })); return document.querySelector(".look.phone") != null; })()`)
	b.Eventually(`!dispatchEvent(new Event("beforeunload", { cancelable: true }))`)
}

func TestShots(t *testing.T) {
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	_, err := f.Admin.UpdateExperience(t.Context(), audit.Command(), time.Time{}, func(e *store.Experience) error {
		e.TermsOfUseURL, e.Terms = "https://shop.example/terms", store.TermsRegister
		e.SupportEmail = "help@shop.example"
		return nil
	})
	f.Must(err)
	b := f.Tab().As(p)
	for _, lang := range []string{"en", "ja"} {
		for _, s := range []string{"", "/sign-up-and-sign-in", "/content", "/terms", "/custom-css", "/addresses"} {
			name := "branding"
			if s != "" {
				name = strings.TrimPrefix(s, "/")
			}
			b.Shoot(name+"."+lang+".desktop.light", home+s+"?lang="+lang, "light", 1280, 900)
			if lang == "en" {
				b.Shoot(name+"."+lang+".desktop.dark", home+s+"?preview.scheme=dark", "dark", 1280, 900)
			}
			b.Shoot(name+"."+lang+".phone.light", home+s, "light", 320, 640)
		}
	}
}
