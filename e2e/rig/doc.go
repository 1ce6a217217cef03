// Package rig sets up the whole product for tests: the built program on a real SQLite file
// or a real Postgres ([Server]), several of it behind a balancer ([NewReplicas]), a
// connection to the database that can fail ([Wire]), a browser without JavaScript
// ([Visitor]), a client's server ([Client]), and what mails arrived ([Server.Inbox], [Sink]).
//
// A package that uses it has TestMain call [Main], which builds the program.
package rig
