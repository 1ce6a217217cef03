// Package start is the console's first page: what is left to do until people can sign in,
// which ticks itself, and how the instance gets on.
//
//	GET /console   the page
package start
