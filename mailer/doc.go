// Package mailer brings codes and notices to mailboxes: a durable queue, the
// texts, and the interface that senders fill.
//
//	                 Seal            Sent                       settle
//	otp ── script ──> row: queued ──> dispatcher ──> worker ──> row: sent
//	                     │  ^             │             │            failed   (refused, rejected by all)
//	       lease ended   │  └── retry ────┼─────────────┘            expired  (past its last call)
//	       or retry due  └──> ClaimMail ──┘ of any replica
//
// The row of the mail commits with the challenge that it carries a code of, or
// with the proof that it tells of, so nothing acknowledged is lost: [Queue.Seal]
// seals the message for the row, leased to this replica, and [Queue.Sent] hands it to
// this replica's workers once the row is committed, so that the usual mail is under
// way at once and without another query. If this replica dies or is too busy, the
// lease ends and any replica claims the row.
//
// # At most once within a lease
//
// A mail in our hands is sent only by the replica that holds its lease:
//
//   - A worker starts a send only if the rest of the lease is longer than the
//     send timeout plus the slack for writing the result down. The lease is
//     counted from before the row was written (Made of [store.NewMail], or the
//     clock before ClaimMail), so we never believe in more than there is; the
//     slack also covers the milliseconds by which replicas' clocks differ.
//   - So a result is settled before another replica can claim the row, unless the
//     database is away for longer than the slack. Who claims waits for a moment after
//     that, so that others can write; what still cannot be written may go twice; the
//     reverse, forgetting one, is worse.
//   - A row that this replica claims while it still holds it (the send or its
//     result is pending) is not sent again: the claim only makes the lease longer.
//
// # Order and pace
//
// One dispatcher hands the mails out: those that were handed over before those that
// were claimed, and of these the ones with most life left first. It waits until a
// connector may take the mail: until its circuit breaker is closed, or one mail may try it,
// and until its rate has room. While all circuits are open nothing is claimed.
//
// A worker tries the connectors in order within one budget of time. Which failure does
// what is in docs/email-queue.md, and why in docs/decisions/0017-failover-and-rates.md.
//
// Each replica tells the others how it gets on with each connector ([Health]); they
// count each other by that, to share what a provider's account may send.
//
// # Decoys
//
// A decoy goes through the same states at the same pace and reaches nobody: it waits
// for its turn, then replays how long a recent real send took and how it ended, unless that
// was for a reason of that mail or its recipient.
package mailer
