// Package config is configuration as code: it makes an instance as a file says, and writes
// the file of an instance. The commands are idp apply and idp export.
//
//	file ──Read──► File ──┐
//	                      ├──Plan──► Plan: what to create, change, delete ──Apply──► instance
//	instance ─────Load────┘               │
//	    └─────────Load──► File ──Write──► file: a plan of it is empty
//
// A section that the file does not have is left alone. Of one that it has, what is listed is
// created or changed, field by field: a field that the file does not have has its default. What is not
// listed is told of, and deleted only if the caller wants that.
//
// Before anything is written, the whole plan is made with the store's writes left out, so
// that a mistake in the last section leaves the first one as it was. Each thing is then
// written in a transaction of its own with its entry in the audit log; if one fails, those
// before it stay, and applying the file again goes on from there.
//
// Secrets are in the file by reference (secret.go). A [Seed], the file of idp dev --seed, has
// people, too, and may have the secrets themselves.
//
//	file.go     the form of the file, reading and writing it
//	plan.go     comparing, and doing what differs
//	print.go    a plan as people read it
//	needed.go   what cannot be deleted
//	secret.go   references to secrets
//	line.go     in which line of the file an error is
//	seed.go     a configuration with people, for development
//	tree.go     values as JSON has them
//	NOUN.go     a section
package config
