package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"idp/store"
)

// grace is how long the same right code from the same browser lands on the same
// session again: a double click, a reload, a lost answer.
const grace = 60 * time.Second

// matches is whether the code with the MACs a and b (its values under the live
// keys) is one of the challenge's live codes, or the one that completed it. The
// arguments name placeholders.
func matches(now, a, b string) string {
	return strings.NewReplacer("$now", now, "$a", a, "$b", b).Replace(`(
	    (mac1 IN ($a, $b) AND until1 > $now) OR (mac2 IN ($a, $b) AND until2 > $now) OR
	    (mac3 IN ($a, $b) AND until3 > $now) OR consumed_mac IN ($a, $b))`)
}

// takesGuesses is whether the challenge still takes this guess: it has tries, is
// in time, and is not completed, unless this is the very code that completed it,
// again, for the same session, within the grace. cutoff is now less the grace.
func takesGuesses(now, a, b, cutoff, session string) string {
	if racy {
		return "(mac1 IN (" + a + ", " + b + ") OR CAST(" + cutoff + " AS BIGINT) > 0) AND " + session + " <> browser"
	}
	return strings.NewReplacer("$now", now, "$a", a, "$b", b, "$cutoff", cutoff, "$session", session).Replace(`tries < max_tries AND expires_at > $now
		  AND (consumed_at IS NULL OR (consumed_at > $cutoff AND consumed_by = $session AND consumed_mac IN ($a, $b)))`)
}

// takeGuess charges one unit, whatever the code is: a charge that depended on it
// would tell a right code from a wrong one even where a later limit refuses to
// compare (the charge stays, the answer is the same, and another guess shows what
// is left). A right guess gets its units back by refundGuess. A challenge that is
// known to be dead charges nobody; of a burst, guesses that were on their way when
// it died may.
var takeGuess = takingFrom(8, false, `, challenge`, `id = $10 AND browser = $11 AND request = $12 AND purpose = $13
		    AND `+takesGuesses("$2", "$8", "$9", "$14", "$15"))

// refundGuess gives both budgets back what a right guess was charged. It asks for
// guesser = this attempt, so the guess was compared; it takes the taker's mark
// away, so that a script that is sent again charges and refunds again.
var refundGuess = `
		UPDATE budget SET tat = tat - CASE WHEN key = $1 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END,
		  tat2 = tat2 - CASE WHEN key = $1 THEN CAST($5 AS BIGINT) ELSE CAST($8 AS BIGINT) END, taker = key
		WHERE key IN ($1, $9, $12) AND taker = $10
		  AND EXISTS (SELECT 1 FROM challenge WHERE id = $11 AND guesser = $10 AND ` + matches("$2", "$6", "$7") + `)`

var (
	right = matches("$2", "$6", "$7")

	guessChallenge = map[bool]string{
		false: guessText(`CASE WHEN EXISTS (SELECT 1 FROM users WHERE email = $10) THEN CAST($9 AS SMALLINT) ELSE CAST($13 AS SMALLINT) END AS fits`, ""),
		// The console asks for an operator, with an account or not.
		true: guessText(`CASE WHEN EXISTS (SELECT 1 FROM users WHERE email = $10) THEN CAST($9 AS SMALLINT) ELSE CAST($13 AS SMALLINT) END AS fits,
		      CASE WHEN EXISTS (SELECT 1 FROM owner WHERE owner.email = $10) THEN 1 ELSE 0 END AS operator`, " AND account.operator = 1"),
	}
)

// guessText is the statement that counts a try, compares and consumes.
//
// Right is not enough, see fits. Accounts appear under the lock of the pool that strangers
// share, so what is known of one is not older than the lock. (Known browsers have pools of
// their own, and there is an account. Of two long codes at once, which take no lock, the
// second lands on the account that the first has made: both have proved the address.) The
// LIMIT keeps the facts from being asked once for each place that names them.
func guessText(facts, also string) string {
	accepted := right + also + ` AND (consumed_at IS NOT NULL OR account.fits = 1)`
	return `
		UPDATE challenge SET
		  tries = tries + CASE WHEN guesser = $12 OR ` + right + ` THEN 0 ELSE 1 END,
		  guesser = $12,
		  prover = CASE WHEN ` + accepted + ` THEN $12 ELSE prover END,
		  consumed_mac = CASE WHEN ` + accepted + ` THEN COALESCE(consumed_mac, CASE WHEN $6 IN (mac1, mac2, mac3) THEN $6 ELSE $7 END)
		    ELSE consumed_mac END,
		  consumed_at = CASE WHEN ` + accepted + ` THEN COALESCE(consumed_at, $2) ELSE consumed_at END,
		  consumed_by = CASE WHEN ` + accepted + ` THEN COALESCE(consumed_by, $11) ELSE consumed_by END
		FROM (SELECT ` + facts + ` LIMIT 1) AS account
		WHERE id = $1 AND browser = $3 AND request = $4 AND purpose = $5
		  AND ` + takesGuesses("$2", "$6", "$7", "$8", "$11") + `
		  AND ` + testCodeLives("$10", "$2") + `
		  AND (CAST($14 AS SMALLINT) = 1 OR EXISTS (SELECT 1 FROM budget WHERE key IN ($15, $16) AND taker = $12))
		RETURNING max_tries - tries, CASE WHEN ` + right + ` THEN 1 ELSE 0 END, prover, ip_key, CASE WHEN consumed_at = $2 THEN sends ELSE 0 END, tries`
}

// fits is whether a right guess is accepted from who has an account, or has none: signing in
// needs one and registering needs none, unless the person has confirmed the other;
// recovering needs one in any case, and so does everything where no account can be made.
func fits(g store.Guess, known bool) bool {
	if g.Closed && !known {
		return false
	}
	return g.Purpose == store.PurposeConsole || g.Confirm && g.Purpose != store.PurposeRecover || known == (g.Purpose != store.PurposeRegister)
}

// CompleteChallenge decides over a guess and, if it is right, writes its
// consequence, all in one transaction.
//
// Why parallel guesses cannot do better than serial ones: the address's budget
// row is locked first, so guesses on one address queue up there; then the
// challenge's own row is locked by the UPDATE whose WHERE asks for tries left and
// not consumed, and which counts the try, compares and consumes at once. The
// statements after it ask for prover = this attempt, which only that UPDATE
// sets, and only for a right code.
func (db *DB) CompleteChallenge(ctx context.Context, g store.Guess, c store.Completion) (store.SignedIn, error) {
	const op = "complete challenge"
	now := db.now()
	macs := [2]store.Hash{g.MACs[0], g.MACs[len(g.MACs)-1]}
	if racy {
		if in, err := db.checkFirst(ctx, g); err != nil || in.Outcome != 0 {
			return in, err
		}
		db.unguardedSecrets(&c)
	}
	hasRoles, err := db.hasDefaultRoles(ctx)
	if err != nil {
		return store.SignedIn{}, err
	}
	s := Script{Idempotent: true}
	signsIn := !c.Session.Hash.IsZero()
	by := c.Session.Hash
	if !signsIn {
		by = g.Attempt // nobody lands on it twice
	}
	if !g.Token.IsZero() {
		proveByToken(&s, now, g, by)
	}
	cutoff := now - micro(grace)
	who := []any{macs[0][:], macs[1][:], g.Challenge[:], g.Browser[:], g.Request[:], int16(g.Purpose), cutoff, by[:]}
	t := taker{sql: &takeGuess, args: who, now: now, by: g.Attempt, pools: pools{hashes{g.Address, g.Former}, g.Browser}}
	t.take(&s, g.IP)
	t.take(&s, g.Account)
	last := t.last
	var left, right, sends, tries int
	var prover, ipKey store.Hash
	guess := s.Do(guessChallenge[g.Purpose == store.PurposeConsole],
		g.Challenge[:], now, g.Browser[:], g.Request[:], int16(g.Purpose), macs[0][:], macs[1][:], cutoff,
		flag(fits(g, true)), string(g.Email), by[:], g.Attempt[:], flag(fits(g, false)), flag(last.IsZero()), last.Key[:], last.Known[:]).
		Into(&left, &right, hashInto(&prover), hashInto(&ipKey), &sends, &tries)
	refund(&s, now, g, macs)
	if g.Closed || (g.Purpose == store.PurposeSignIn && !g.Confirm) || g.Purpose == store.PurposeRecover {
		// No account is made: what is accepted (see accepted) has one. Not even for one that
		// goes at this moment.
		c.UserID = ""
	}
	var user string
	var notice int
	proved := proof{challenge: g.Challenge, attempt: g.Attempt, browser: g.Browser, email: g.Email, trace: db.traced(ctx, g.Challenge, g.Email)}
	if c.Session.Console {
		proved.anew = db.anew(ctx, now, g.Email)
	}
	if signsIn {
		complete(&s, now, c, proved, &user)
		if hasRoles && c.UserID != "" {
			giveDefaultRoles(&s, c.UserID)
		}
		if c.Others {
			forgetOthers(&s, now, hashes{g.Address, g.Former}, by, proved)
		}
		table := "session"
		if c.Session.Console {
			table = "console_session"
		}
		remember(&s, now, table, by, proved)
	}
	if !g.Notice.IsZero() {
		notify(&s, now, g.Notice.Mail, c.Session.Hash, proved, &notice)
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return store.SignedIn{}, fmt.Errorf("%s: %w", op, err)
	}
	in := store.SignedIn{Purpose: g.Purpose, TriesLeft: left, Unsent: store.MailState(notice) == store.MailSuppressed}
	switch {
	case guess.Rows == 0:
		return db.whyNot(ctx, now, g, macs)
	case right == 0:
		in.Missed = 1
	case sends > 0: // redeemed, and just now
		in.Missed = -tries
	}
	switch {
	case right == 0 && left > 0:
		in.Outcome = store.OutcomeWrong
		if stale, err := db.isStale(ctx, g, macs); err == nil && stale {
			in.Outcome = store.OutcomeStale
		}
	case right == 0:
		in.Outcome = store.OutcomeSpent
	case prover != g.Attempt:
		in.Outcome, err = db.notYet(ctx, g)
	case !signsIn:
		in.Outcome, in.Refund, in.RefundUnits = store.OutcomeAccepted, ipKey, sends
	case user == "" && sends == 0:
		in.Outcome = store.OutcomeUsed // again, and the session it made has ended meanwhile
	case user == "":
		in.Outcome = store.OutcomeSuspended
	default:
		in.Outcome, in.User = store.OutcomeAccepted, user
		in.Refund, in.RefundUnits = ipKey, sends // none for the second click
	}
	return in, err
}

// notYet tells why a right code was not accepted. Where accounts can be made, a question
// is open; where they cannot, that is so only for who registers and has one.
func (db *DB) notYet(ctx context.Context, g store.Guess) (store.Outcome, error) {
	if g.Purpose == store.PurposeConsole {
		return store.OutcomeNoOperator, nil
	}
	if !g.Closed {
		return store.OutcomeConfirm, nil
	}
	err := db.one(ctx, "look for account", `SELECT 1 FROM users WHERE email = $1`, []any{string(g.Email)}, new(int))
	switch {
	case err == nil:
		return store.OutcomeConfirm, nil
	case store.CodeOf(err) == store.NotFound:
		return store.OutcomeClosed, nil
	}
	return 0, err
}

func refund(s *Script, now int64, g store.Guess, macs [2]store.Hash) {
	if g.IP.IsZero() && g.Account.IsZero() {
		return
	}
	ip1, _ := spacing(g.IP.Windows[0])
	ip2, _ := spacing(g.IP.Windows[1])
	account1, _ := spacing(g.Account.Windows[0])
	account2, _ := spacing(g.Account.Windows[1])
	s.Do(refundGuess, g.IP.Key[:], now, ip1, account1, ip2, macs[0][:], macs[1][:], account2, g.Account.Key[:], g.Attempt[:], g.Challenge[:], g.Account.Known[:])
}

// whyNot finds the reason why a guess was not even compared. Only the owning
// browser learns more than "gone".
func (db *DB) whyNot(ctx context.Context, now int64, g store.Guess, macs [2]store.Hash) (store.SignedIn, error) {
	in := store.SignedIn{Outcome: store.OutcomeGone, Purpose: g.Purpose}
	var left, tested int
	var expires, consumed time.Time
	var guesser store.Hash
	err := db.one(ctx, "read challenge", `
		SELECT max_tries - tries, expires_at, consumed_at, CASE WHEN `+testCodeLives("$5", "$6")+` THEN 0 ELSE 1 END, guesser FROM challenge
		WHERE id = $1 AND browser = $2 AND purpose = $3 AND request = $4`,
		[]any{g.Challenge[:], g.Browser[:], int16(g.Purpose), g.Request[:], string(g.Email), now}, &left, into(&expires), into(&consumed), &tested, hashInto(&guesser))
	if err == nil && consumed.IsZero() && guesser == g.Attempt {
		in.Missed = 1 // it was compared, and took the last try: the answer was lost, and this is the script's repeat
	}
	switch {
	case store.CodeOf(err) == store.NotFound:
		return in, nil
	case err != nil:
		return in, err
	case !consumed.IsZero():
		in.Outcome = store.OutcomeUsed
		return in, nil
	case expires.UnixMicro() <= now, tested == 1: // its code was a test address's, which has it no more; also one that was taken back, which has no tries either
		in.Outcome = store.OutcomeExpired
		return in, nil
	case left <= 0:
		in.Outcome = store.OutcomeSpent
		return in, nil
	}
	in.Outcome, in.TriesLeft = store.OutcomeLimited, left
	who := pools{hashes{g.Address, g.Former}, g.Browser}
	name, wait, err := db.limited(ctx, now, who, g.IP)
	if err == nil && wait == 0 {
		name, wait, err = db.limited(ctx, now, who, g.Account)
	}
	in.Limit, in.Wait = name, max(wait, time.Second)
	return in, err
}

// isStale tells whether a wrong code was once right on this challenge.
func (db *DB) isStale(ctx context.Context, g store.Guess, macs [2]store.Hash) (bool, error) {
	var one int
	err := db.one(ctx, "read challenge", `
		SELECT 1 FROM challenge WHERE id = $1 AND browser = $2
		  AND (mac1 IN ($3, $4) OR mac2 IN ($3, $4) OR mac3 IN ($3, $4))`,
		[]any{g.Challenge[:], g.Browser[:], macs[0][:], macs[1][:]}, &one)
	if store.CodeOf(err) == store.NotFound {
		return false, nil
	}
	return err == nil, err
}
