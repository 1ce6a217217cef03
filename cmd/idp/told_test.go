package main

import (
	"testing"

	"idp/cmd/idp/internal/settings"
	pages "idp/web/console/settings"
)

// The console says of every limit and lifetime what it means.
func TestConsoleKnowsAllLimits(t *testing.T) {
	t.Parallel()
	n := 0
	for _, group := range []string{"otp", "limit", "ttl"} {
		for _, s := range new(settings.Server).InForce(group) {
			n++
			if !pages.Tells(s.Variable) {
				t.Errorf("%s has no meaning in web/console/settings", s.Variable)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d settings were found", n)
	}
}
