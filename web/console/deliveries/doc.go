// Package deliveries is the console's pages of what became of mails, and of the addresses
// that take none.
//
//	GET  /console/deliveries                     mails, newest first (to, state, usage, connector, since, until, before)
//	GET  /console/deliveries/MAIL                one mail, with all that happened to it
//	GET  /console/deliveries/suppressed          addresses that take no mail (q: one of them, before)
//	POST /console/deliveries/suppressed          adds one (address, note)
//	POST /console/deliveries/suppressed/lift     has mail sent to one again (address, confirm)
package deliveries
