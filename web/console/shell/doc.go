// Package shell is what all pages of the console share: who is there and what they may do,
// the menu around a page, forms, lists, notices, and the answers to errors.
//
// # How a request goes
//
//	no console session ──► GET: the sign-in page, at the address that was asked for
//	   │                   POST: a page that keeps what was typed, to be sent again
//	   ├─ POST of another site, or without the form's token ──► 403
//	   ├─ POST that takes more than the role of who is there ──► 403
//	   └─ the page's function ──► a page, or 303 with a notice, or an error that is
//	      answered by its code (problem.go)
//
// A page is a template that defines "title" and "main"; layout.html is around it and
// parts.html holds what they are built of. Texts are English in the templates, and that text
// is the key of its translations (texts/TAG/AREA.json).
//
//	POST /console/sign-out   ends the console session
package shell
