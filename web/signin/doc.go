// Package signin is the pages that a person signs in with.
//
//	GET  /oidc/auth      op validates the request and calls Begin: the address page
//	                     or Choose: whether to go on as the one who is signed in
//	GET  /sign-in        the same page: language change, from another one, going back
//	GET  /register       [other=1: without the address that the app named]
//	GET  /recover
//	POST /sign-in        email: a challenge, and a mail with a code ──► 303 /verify
//	POST /register
//	POST /recover        for those who fear that somebody else is in: ends all other sessions
//	POST /choose         the signed-in one will do ──► 303 to the app
//	POST /one-time-token signs in with the token that the app's request has brought: GET
//	                     /oidc/auth has shown a button for it in the address page's place
//	GET  /verify         the code page; needs no database the first time
//	POST /verify         code ──► 303 to the app, or the code page with what is wrong (422)
//	                     [confirm=1: the answer to "create an account?"]
//	POST /verify/resend  one more code ──► 303 /verify
//	GET  /verify/resend  ──► 303 /verify: a form's address, asked for again
//	GET  /verify/status  JSON: what became of the mail
//	GET  /verify/link    t: the link in a mail; in the browser that asked for the code a
//	                     button that posts it to /verify, anywhere else the code
//	GET  /not-me         t: the link in every mail, for who did not ask for it
//	POST /not-me         takes the challenge back; [unmute=1: has mails sent as before]
//	GET  /console/enter  t: a link into the console: a button, which changes something
//	POST /console/enter  ──► 303 to the console
//	GET  /cancel         ──► 303 to the app with error=access_denied
//
// Nothing is kept on the server between pages but the challenge. The validated
// authorization request travels in r, the challenge in c, both sealed and bound to
// the browser's cookie, so that any number of tabs go their own ways, and a page
// that was discarded comes back from its address. Since both open only together
// with the cookie, r is also the token that keeps forms of other sites out; the
// check of the browser's own headers (http.CrossOriginProtection) comes before it.
//
// Forms carry r and c as fields, which decide, and on the code page also in the
// address they post to: so the page with what is wrong comes back from there, too.
// The address page's links and form carry the app's own query as well, as again:
// two tabs that a new browser opens at once are each given a cookie, the later one
// stays, and the other tab can only start anew.
//
// An address page that is opened without r, from a bookmark, is the account page's: it
// has a request of our own, without an app, that ends there. Who has a session is sent
// to the account page at once.
//
// The two links in mails change nothing when they are opened, because programs that check
// mails open them. /not-me needs neither r nor session: whoever holds the link reads the
// mail. Its form has a token that is bound to the browser's cookie, so that it is sent
// from the page and not by a program that only saw the link.
//
// How a challenge ends, and on which page:
//
//	accepted   303 to the app          expired, spent   a form that sends a new code
//	wrong      the code page           used, gone       start again
//	stale      the code page           suspended        says so, and the way back
//	limited    the code page, 429      confirm          asks whether to create an account
//
// An r older than an hour restarts in place for a day (see Requests). Every page
// that ends something shows a way on.
package signin
