//go:build browser

package applications_test

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
		f := setup(t)
		f.Shots(lang, f.every(lang))
	}
}
