// Package timeline is the console's page "Why can’t they sign in?": for one address, what
// stands in the way now with what helps, and what happened each time a code was asked for.
//
//	GET  /console/why                  asks for an address; with email, tells of it
//	POST /console/why/lift-suppression has mail sent to it again (email)
//	POST /console/why/lift-mute        has codes sent to any browser again (email)
//	POST /console/why/reinstate        ends the suspension of its account (email)
//
// Each look is in the audit log, since it is about one person.
package timeline
