// Package roles is the console's pages of roles: sets of scopes that people or programs have.
//
//	GET  /console/roles                    the list
//	GET  /console/roles/new                a new one; POST makes it
//	GET  /console/roles/ID                 name, description, whether it is given by default; POST saves
//	POST /console/roles/ID/delete          deletes it
//	GET  /console/roles/ID/scopes          its scopes, by API; POST saves
//	GET  /console/roles/ID/holders         who has it, and who could (find is what is searched)
//	POST /console/roles/ID/holders         gives it to somebody (holder)
//	POST /console/roles/ID/holders/remove  takes it away (holder)
//
// A role is for people or for machine-to-machine applications; its holders are the one or
// the other.
package roles
