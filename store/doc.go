// Package store holds the domain: the types that every other package speaks in,
// the closed set of error codes, and what an engine promises. It imports the
// standard library only.
//
// The operations are in store/sqlstore, one file per noun; an engine that runs
// them is in store/postgres or store/sqlite; the contract that both pass, races
// included, is in store/storetest.
//
// A store method is one transaction and one sentence of the protocol
// ("BeginChallenge", "RedeemCode"), never row-level access with a transaction
// held by the caller. Times are UTC with microsecond precision and come from the
// database's clock, never from the caller.
package store
