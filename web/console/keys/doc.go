// Package keys is the console's pages of the keys that sign tokens.
//
//	GET  /console/keys            the keys of each algorithm, and what becomes of them
//	POST /console/keys/rotate     a new key for one algorithm (alg, confirm)
//	GET  /console/keys/ID         one key
//	POST /console/keys/ID/delete  deletes one that does not sign any more
package keys
