// Package mailer brings codes and notices to mailboxes: a durable queue, the
// texts, and the interface that senders fill.
//
//	                 Seal            Sent                    settle
//	otp ── script ──> row: queued ──> worker ──> connector ──> row: sent
//	                     │  ^            │                          failed   (refused)
//	       lease ended   │  └── retry ───┘                          expired  (its time ran out)
//	       or retry due  └──> ClaimMail ──> worker of any replica
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
//     database is away for longer than the slack. Then a mail may go twice; the
//     reverse, forgetting one, is worse.
//   - A row that this replica claims while it still holds it (the send or its
//     result is pending) is not sent again: the claim only makes the lease longer.
//
// # Decoys
//
// A decoy goes through the same states at the same pace and reaches nobody: it
// replays how long a recent real send took and how it ended.
//
// SES, SMTP, sending rates, suppression and a circuit breaker per connector fill
// [Sender] and [Kinds] later; until then connectors are tried in order.
package mailer
