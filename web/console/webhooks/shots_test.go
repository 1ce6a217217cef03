//go:build browser

package webhooks_test

import (
	"testing"

	"idp/web/webtest"
)

// Every page, to be looked at (webtest.Shots).
func TestShots(t *testing.T) {
	for _, lang := range webtest.ShotLanguages() {
		if lang != "en" && lang != "ja" {
			continue
		}
		f := webtest.New(t)
		f.Shots(lang, every(f, lang))
	}
}
