// Package idptest signs people in, in the tests of an app: over the same pages as a browser
// without scripts, with the codes from the mailbox of idp dev. It needs the standard library
// only, and starts nothing: docs/testing.md shows how an app's CI uses it.
//
//	browser := &http.Client{}
//	page, err := idptest.SignIn(ctx, browser, "http://localhost:8080/sign-in", "ada@example.com")
//
// page is the app's answer at the end of the way, and browser has the app's cookies: what it
// asks for next, it asks for as Ada. A test that drives a browser of its own (chromedp,
// Playwright) types the address there and takes only the code from here:
//
//	inbox := idptest.NewInbox("http://localhost:3001") // before the code is asked for
//	code, err := inbox.Code(ctx, "ada@example.com")
package idptest
