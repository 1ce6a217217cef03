// Package webhook tells other programs what happened: it posts JSON to the addresses that
// an operator has set, under a signature, in Logto's form.
//
// # How an event goes
//
//	audit log ──► sealer makes a batch ──► Queue: a delivery for each enabled hook that wants it,
//	                                       written in the batch's transaction
//	waiting ──► claimed under a lease ──► the person and app are read, the body is made, posted
//	   ▲            ├── 2xx ────────────► delivered
//	   │            ├── another answer, none, or the lease ends
//	   └── backoff ─┤
//	                └── out of tries, too old, 410 Gone ──► given up
//
// An event is queued exactly once, and posted at least once: who has seen its
// Idempotency-Key before can pass it by. Between hooks there is no order and no waiting:
// each has its own workers, and one that fails is asked less and less often.
//
// # Where things are
//
//	event.go        the events, by Logto's names, and what in the audit log stands for them
//	config.go       what can be set, and what of it is refused
//	destination.go  where nothing is ever posted to
//	client.go       one post
//	secret.go       what is sealed
//	queue.go        from events to deliveries
//	body.go         what is posted
//	worker.go       the work
//	desk.go         where hooks are set up
//	trial.go        a test, with nobody
//	pace.go         when something is tried again
package webhook
