//go:build browser

package account_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"idp/web/webtest"
)

func TestShots(t *testing.T) {
	for _, lang := range webtest.ShotLanguages() {
		f := webtest.New(t)
		f.Shots(lang, everyPage(f, lang))
	}
}

// Times are told in the reader's own zone.
func TestScripts(t *testing.T) {
	f := webtest.New(t)
	f.Register(ada)
	b := f.Tab()
	b.Act(chromedp.Navigate(f.Server.URL+"/account"), chromedp.SendKeys(chromedp.CSS("#email"), ada+"\r"), chromedp.WaitVisible(chromedp.CSS("#code")))
	b.Act(chromedp.SendKeys(chromedp.CSS("#code"), f.Code(ada, 2)+"\r"), chromedp.WaitVisible(chromedp.CSS(".sessions")))
	b.Eventually(`[...document.querySelectorAll(".sessions time")].length === 2 && [...document.querySelectorAll(".sessions time")].every(t => /at [0-9: ]+[AP]M$/.test(t.innerText.replaceAll("\u202f", " ")))`)
	b.Act(chromedp.Click(chromedp.CSS("summary")), chromedp.Click(chromedp.CSS("details button")))
	b.Eventually(`location.pathname === "/signed-out"`)
}
