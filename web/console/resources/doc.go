// Package resources is the console's pages of API resources: the APIs that tokens are for,
// and what may be done at them.
//
//	GET  /console/resources                          the list
//	GET  /console/resources/new                      a new one; POST makes it
//	GET  /console/resources/ID                       name and lifetime of tokens; POST saves
//	POST /console/resources/ID/delete                deletes it, with its scopes
//	GET  /console/resources/ID/scopes                its scopes; POST adds one
//	GET  /console/resources/ID/scopes/SCOPE          a scope; POST saves
//	POST /console/resources/ID/scopes/SCOPE/delete   deletes it
//	GET  /console/resources/ID/use                   how apps ask for tokens, and the API checks them
//
// The resource of the management API is shown as it is: it cannot be changed.
package resources
