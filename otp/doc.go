// Package otp is the code engine: it makes the challenges and the six-digit, or long,
// codes that prove that a person reads an address, and judges what people type.
//
// A challenge is one browser's attempt. Its life:
//
//	           Begin                   Resend (at most Sends-1 times, after a wait)
//	(nothing) ───────► open, 1 code ─────────► open, up to 3 codes, one try budget
//	                      │   │
//	     wrong, 5th time  │   │ right                 the same code again within 60 s
//	           spent ◄────┘   └────────► consumed ───────────► the same session again
//	                      │
//	          after TTL   └────────► expired
//
// A code is bound to its challenge, purpose, browser and authorization request;
// another browser's challenge for the same address is a different one and neither
// disturbs the other. Codes are kept as keyed MACs; the key is not in the
// database. Verifying, counting the try, consuming and everything that follows is
// one statement script in store/sqlstore (guess.go argues why parallel guesses
// gain nothing).
//
// Limits (limits.go) are budgets in the same script, so replicas share them and
// restarts keep them. Known and unknown addresses take the same path. Browsers that have
// signed in to an address have pools of their own of its mails and guesses.
//
// While the guesses of a browser's pool are spent, the next mail carries a code of 26
// letters (code.go): nobody guesses it, so it is asked for neither budget, and the owner
// gets in. The store refuses to begin with a short code, or to add one, in the statements
// that charge the limits; only then is the long one made.
//
// A recovery's first mail is one of two that are sealed together: the code, or that
// there is no account; the store picks. Its right code has a notice mailed, which is
// written in the same transaction (mail.go).
//
// Every mail has a link for those who did not ask for it (notme.go), which takes the
// challenge back and has unknown browsers get no mail sent to its address for a day.
//
// A network with many codes that were not redeemed has to show that it is no flood before
// it gets more: by work that a script does, or by waiting (proof.go).
//
// Who guesses at many addresses raises an alarm over all of them, and codes get 8 digits
// (alarm.go).
package otp
