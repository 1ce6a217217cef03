// Package account is the account page, and everything about signing out.
//
//	GET  /account                      who is signed in, and in which browsers; the
//	                                   sign-in page for those who are not
//	POST /account/sign-out             ends this browser's session ──► 303 /signed-out
//	POST /account/sign-out-everywhere  ends all that the person has ──► 303 /signed-out
//	POST /account/sessions             session: ends another browser's ──► 303 /account
//	GET  /signed-out                   says so
//
//	GET, POST /oidc/session/end        op validates it and calls AskSignOut: whether to
//	                                   sign out; or SignedOut, when that is done
//	GET  /sign-out                     the same question: language change, going back
//	POST /sign-out                     the answer ──► 303 to the app, or /signed-out
//
// Every form says the same when it is sent twice: a session that has ended cannot be
// ended, and that is what was asked for.
//
// A form carries a token in t, made from the browser's cookie and its session, so that
// it is worth nothing in another browser and after another person has signed in; the
// check of the browser's own headers (form.Own) comes before it. A form whose token is
// not right ends nothing, and is answered by the page as it is now. What an app asked
// for travels sealed in o, bound to the browser like r of web/signin.
package account
