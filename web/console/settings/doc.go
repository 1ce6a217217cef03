// Package settings is the console's pages of the instance itself: who may enter the console,
// and what the server was started with.
//
//	GET  /console/settings                      who may enter
//	POST /console/settings/sign-out-everywhere  ends all of one's own sessions of the console
//	GET  /console/settings/people/new           lets somebody in
//	POST /console/settings/people/new           email, role
//	GET  /console/settings/people/EMAIL         one of them
//	POST /console/settings/people/EMAIL         role, and seen: what it was
//	POST /console/settings/people/EMAIL/remove  confirm
//	GET  /console/settings/test-addresses              addresses whose code is always the same
//	GET  /console/settings/test-addresses/new          makes one
//	POST /console/settings/test-addresses/new          email, code, until, confirm
//	GET  /console/settings/test-addresses/EMAIL        one of them, without its code
//	POST /console/settings/test-addresses/EMAIL/remove confirm
//	GET  /console/settings/limits               codes, limits and lifetimes in force
//	GET  /console/settings/instance             addresses, version, database
//
// Only owners say who may enter; everybody in the console sees who does. What the server was
// started with is changed where it is started, and is only told here.
package settings
