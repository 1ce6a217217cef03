// Package users is the console's pages of people: who they are, what apps know of them, what
// they may do, and where they are signed in.
//
//	GET  /console/users                        the list (q is what is searched)
//	GET  /console/users/new                    a new account; POST makes it
//	GET  /console/users/ID                     name, address, profile; POST saves
//	GET  /console/users/ID/data                custom data as JSON; POST saves
//	GET  /console/users/ID/roles               their roles; POST gives one (role)
//	POST /console/users/ID/roles/remove        takes one away (role)
//	GET  /console/users/ID/sessions            where they are signed in, and what apps may do for them
//	POST /console/users/ID/sessions/end        ends one (session)
//	POST /console/users/ID/sessions/end-all    ends all, with what apps may do
//	POST /console/users/ID/grants/revoke       ends what one app may do (grant)
//	GET  /console/users/ID/activity            their entries of the audit log
//	GET  /console/users/ID/access              sign-in link, suspending, deleting
//	POST /console/users/ID/link                makes a link that signs in once (days)
//	POST /console/users/ID/suspend             keeps them out; reinstate lets them in again
//	POST /console/users/ID/delete              deletes the account (confirm: its address)
package users
