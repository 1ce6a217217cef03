// Package admin is everything that can be set and looked after in an instance, as one set
// of functions: the management API, the commands and the console stand on it, and have no
// rule of their own.
//
// A function takes who asks (an [audit.Actor]) and writes the entry of the audit log in the
// same transaction as the change. What it is given is checked here, whoever gives it: the
// error is a [store.Error] with store.Invalid, whose Err is a [store.FieldError] that names
// the field as the API does. Other errors: store.NotFound; store.Conflict if a name or
// address is taken; store.InUse, whose Err says what needs it; store.Changed if the caller
// has named the version that it saw, and somebody else was faster.
//
// One noun per file: what the store has to do for it (an interface), its rules, its functions.
package admin
