// Package attack attacks the built program as strangers can: over HTTP, knowing
// addresses and nothing else, with as many browsers, networks and connections as
// they like. SQLite is attacked as one process, Postgres as two replicas behind a
// balancer, with a wire to the database that can be cut.
//
// What each test tries, by file:
//
//	bruteforce_test.go   guesses codes: at once, over many challenges, resends, purposes and networks
//	replay_test.go       uses what was right once again: codes, authorization codes, also while the
//	                     database's answers are lost
//	crossed_test.go      uses a code in another browser, for another purpose, request or address
//	network_test.go      comes from elsewhere: IPv6 rotation, forwarding headers that nobody vouches for
//	spelling_test.go     spells an address differently: plus, dots, case, letters that look alike
//	bombing_test.go      fills a mailbox
//	ceiling_test.go      has the instance send all the mails that it may
//	lockout_test.go      keeps an owner out of her account
//	enumeration_test.go  learns who has an account, by anything that an answer holds
//	timing_test.go       learns it by how long an answer takes
//	abandoned_test.go    begins sign-ins by the thousand and finishes none
//	hotrow_test.go       has everybody wait for one row
//	fixation_test.go     has a victim finish what a stranger began, or sign in as him
//	csrf_test.go         posts every form from another site, with other tokens, as a lesser operator
//	injection_test.go    writes into mails and pages; names another host
//	garbage_test.go      sends what cannot be read, wherever something is read
//	slow_test.go         sends a byte now and then
//	tokens_test.go       uses each token for what it is not, and tokens that nobody has signed
//	redirects_test.go    has a browser sent somewhere else
//	roles_test.go        calls the management API for what its role, ids and pages do not reach
//
// Run all of it with "make attack"; "make e2e" runs a shorter form. With the guards
// taken out of the statements (IDP_E2E_TAGS=racy) the tests whose names hold "AtOnce"
// fail, each on Postgres and some on SQLite: .ci/racy sees to it.
package attack
