// Command idp is a passwordless OpenID Provider: people sign in to apps with a
// code that is mailed to them.
//
//	idp dev     everything on this machine, with a sample app and a mailbox
//	idp serve   the server
//
// See idp --help for the rest, and each command's --help for examples. This
// package is the only one that knows all others: it reads the settings, puts the
// parts together, and runs them.
package main

import "os"

func main() { os.Exit(Main(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)) }
