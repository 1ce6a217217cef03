package signin_test

import (
	"testing"
	"time"

	"idp/otp"
	"idp/web/webtest"
)

func TestEveryPage(t *testing.T) {
	t.Parallel()
	for _, lang := range webtest.Languages() {
		f := webtest.New(t, shortWaits)
		f.Check(lang, everyPage(f, lang))
		f = webtest.New(t)
		f.Check(lang, brandedPages(f, lang, ""))
		f = webtest.New(t, asksEarly)
		f.Check(lang, proofPages(f, lang))
	}
}

func shortWaits(c *otp.Config) { c.ResendWaits = []time.Duration{47 * time.Second} }
