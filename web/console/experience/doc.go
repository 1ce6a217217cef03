// Package experience is the console's pages of how people register and sign in, and what
// that looks like, with a preview that follows what is typed.
//
//	GET  /console/sign-in-experience            pictures and colours
//	GET  /console/sign-in-experience/SECTION    sign-up-and-sign-in, content, terms, custom-css, addresses
//	POST to any of them                         saves that section ──► 303 to it
//	GET  /console/sign-in-experience/preview    a page of the sign-in as it is saved
//	POST /console/sign-in-experience/preview    the same with what stands in the form of a section
//
// Each section is fields of one [store.Experience] (sections.go), by the names that the
// management API has for them. Who saves a section that nobody else has changed meanwhile is
// not told of changes to others.
//
// The preview is made of the templates that people get (package page, Preview). It is shown
// in a frame that can do nothing: the form of the section is posted to it, by a button, or
// by a script that does so while somebody types.
package experience
