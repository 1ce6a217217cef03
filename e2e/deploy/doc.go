// Package deploy holds tests of how the program is put into production: its own TLS, an
// ACME authority (Pebble, which the authors of Let's Encrypt test with), the reverse
// proxies and the files of the folder deploy.
package deploy
