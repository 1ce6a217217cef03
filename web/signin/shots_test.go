//go:build browser

package signin_test

import (
	"testing"

	"idp/web/webtest"
)

func TestShots(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		f := webtest.New(t, shortWaits)
		f.Shots(lang, everyPage(f, lang))
	}
}
