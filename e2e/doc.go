// Package e2e holds the tests of the whole product: the built program on a real
// SQLite file and a real Postgres, visited by plain HTTP (as a browser without
// JavaScript would), by Chromium, and by unmodified client libraries.
package e2e
