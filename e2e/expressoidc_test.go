package e2e_test

import "testing"

// express-openid-connect from npm, unmodified. It takes RS256 unless told otherwise.
func TestExpressOpenIDConnect(t *testing.T) {
	nodeApp{dir: "express-openid-connect", flags: []string{"--type", "traditional", "--id-token-alg", "RS256"}, callback: "/callback"}.test(t)
}
