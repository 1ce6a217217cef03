// Package email is the console's area Email: what mails go through, and what they say.
//
//	GET  /email                             the connectors, in the order they are tried
//	POST /email/order                       moves one up or down
//	GET  /email/connectors                  the kinds that can be added
//	GET  /email/connectors/{id}             one, to be set up or changed: a form, or JSON
//	POST /email/connectors/{id}             saves it, or with what is typed and not saved: shows the
//	                                        other view, sends a test mail, checks the provider and the DNS
//	POST /email/connectors/{id}/delete
//	GET  /email/templates                   which mails in which languages have words of the operator's
//	GET  /email/templates/json              all of these as JSON
//	POST /email/templates/json
//	GET  /email/templates/{usage}/{locale}  the words of one
//	POST /email/templates/{usage}/{locale}  saves them, or sends a test mail with them
//	GET  /email/templates/{usage}/{locale}/preview   the mail that goes out, for a frame
//	POST /email/templates/{usage}/{locale}/preview   the same with what is typed
//	POST /email/templates/{usage}/{locale}/reset     goes back to the program's own
//
// Everybody in the console may look; whoever could send mails elsewhere, or word them, could
// read an owner's codes, so changes are an owner's.
package email
