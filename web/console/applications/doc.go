// Package applications is the console's pages of applications: the clients of the provider.
//
//	GET  /console/applications                   the list: search, type, pages
//	GET  /console/applications/new               step 1: what it is built with (framework.go)
//	GET  /console/applications/new?for=flask     step 2: its name, and where people come back to
//	POST /console/applications                   makes it, and shows its secret, once, with code to paste (guide.go)
//	GET  /console/applications/check             what is wrong with addresses, while they are typed (check.go)
//	GET, POST /console/applications/{id}         its settings
//	POST /console/applications/{id}/delete       deletes it, if its name was typed
//	GET  /console/applications/{id}/guide        code to paste, without the secret; as=express: for another framework
//	GET, POST /console/applications/{id}/secrets its secrets, and a new one, which is shown once
//	GET, POST /console/applications/{id}/secrets/{secret}         one of them: its name
//	POST /console/applications/{id}/secrets/{secret}/delete       deletes it, if its name was typed
//	GET, POST /console/applications/{id}/branding                 what its sign-in pages have of their own
//	GET  /console/applications/{id}/redirects    sent=…: whether an address is registered, and where it differs
//	GET, POST /console/applications/{id}/roles   of a machine
//
// An application is made by its framework's card: for which type of client it stands, which
// algorithm its library takes without being told, and where its usual local server is. What
// card it was is not kept: the guide can be read for any that fits the type.
package applications
