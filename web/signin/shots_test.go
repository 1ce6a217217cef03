//go:build browser

package signin_test

import (
	"testing"

	"idp/web/webtest"
)

func TestShots(t *testing.T) {
	for _, lang := range webtest.ShotLanguages() {
		f := webtest.New(t, shortWaits)
		f.Shots(lang, everyPage(f, lang))
		f = webtest.New(t)
		f.Shots(lang, brandedPages(f, lang, "/static/icon.0.svg"))
	}
}
