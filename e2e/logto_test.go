package e2e_test

import "testing"

// @logto/express from npm, unmodified.
func TestLogtoExpress(t *testing.T) {
	nodeApp{dir: "logto-express", flags: []string{"--type", "traditional"}, callback: "/logto/sign-in-callback"}.test(t)
}

// @logto/browser from npm, unmodified: the tokens live in the browser, so CORS and
// rotation for public clients are tried, too.
func TestLogtoBrowser(t *testing.T) {
	nodeApp{dir: "logto-browser", flags: []string{"--type", "spa"}, callback: "/callback"}.test(t)
}

// @logto/next from npm, unmodified.
func TestLogtoNext(t *testing.T) {
	nodeApp{dir: "logto-next", flags: []string{"--type", "traditional"}, callback: "/callback"}.test(t)
}
