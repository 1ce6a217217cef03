// Package chaos breaks what the product stands on while people sign in, and looks then
// whether everything that was acknowledged is there: `make chaos`. It needs the build tag chaos.
//
// Each fault meets a crowd that behaves as browsers and clients do: it takes 503 with Retry-After for
// an answer and comes again, and sends a form again whose answer got lost. Anything else than
// 503, and than what the protocol says to a repeated request, counts as wrong. After the fault the
// database is asked for half states, everybody's tokens and sessions are tried, and `idp audit
// verify` and `idp doctor` look.
//
// The table that it prints stands in docs/reliability.md.
package chaos
