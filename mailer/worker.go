package mailer

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"idp/store"
	"idp/store/address"
)

// work sends the mails that the dispatcher hands out, one after the other.
func (q *Queue) work(sending, writing context.Context) {
	for a := range q.hands {
		if !q.timely(writing, a.job) { // it may have waited for this worker
			a.release()
			q.ceiling.unsent(a.job)
			continue
		}
		r := q.attempt(sending, a)
		q.ceiling.after(a.job, r)
		q.report(writing, q.verdict(a.job, r))
	}
}

// attempt is send within its bound of time, and traced.
func (q *Queue) attempt(sending context.Context, a assignment) result {
	ctx, cancel := context.WithTimeout(sending, q.config.SendTimeout)
	defer cancel()
	if q.trace == nil {
		return q.send(ctx, a)
	}
	ctx, ended := q.trace.Attempt(ctx, a.id, a.message.Usage, a.attempts+1)
	r := q.send(ctx, a)
	ended(r.err)
	return r
}

// result is how one attempt ended.
type result struct {
	connector string // that took or refused it
	provider  string
	err       error
	own       bool // some connector had a reason that is this mail's own: it tells nothing of others
	doubt     bool // some connector may have taken the mail, and did not say so
	took      time.Duration
}

// send tries the connectors in order, within one budget of time. One that refuses
// the address ends it: the next one would only collect the same bounce.
//
// A connector that fails without saying whether it took the mail, by a timeout or a
// broken connection, counts as one that did not: the mail goes on to the next one,
// or again later. A code that comes twice is better than one that does not come.
func (q *Queue) send(ctx context.Context, a assignment) result {
	if a.decoy {
		// Rendered like any other: it takes the machine the same time.
		if _, err := q.word(ctx, a.job, a.like); err != nil {
			return result{err: err}
		}
		return q.pace.replay(ctx)
	}
	var r result // of the attempt: the best hope among its failures
	start := time.Now()
	passed, doubt, own := false, false, false
	for i, l := range a.lines {
		t := a.ticket
		if i > 0 {
			var ok bool
			if t, ok = l.enter(time.Now()); !ok {
				passed = true
				continue
			}
		}
		one := q.sendBy(ctx, l, t, a, i)
		doubt, own = doubt || one.doubt, own || one.own
		if one.err == nil || classOf(one.err) == Refused || ctx.Err() != nil {
			r, passed = one, passed || i+1 < len(a.lines) // those after it were not asked
			break
		}
		if r.err == nil || classOf(r.err) == Rejected {
			r = one
		}
		q.complain(l.id, a.job, one.err)
	}
	if passed && r.err != nil && classOf(r.err) == Rejected {
		r.err = &SendError{Class: Temporary, Err: r.err} // another one may take it, once it is well again
	}
	r.took, r.doubt, r.own = time.Since(start), doubt, own && r.err != nil
	q.pace.record(r)
	q.usual.add(r.took)
	return r
}

// sendBy tries one connector, the i-th of the attempt, and takes down how it did.
func (q *Queue) sendBy(ctx context.Context, l *line, t ticket, a assignment, i int) result {
	r := result{connector: l.id}
	// A share of the rest of the time, so that one that hangs leaves some for the next.
	ends, _ := ctx.Deadline()
	share, cancel := context.WithTimeout(ctx, time.Until(ends)/time.Duration(len(a.lines)-i))
	defer cancel()
	if i > 0 && (!fits(share, l.wait(time.Now())) || !sleep(share, l.reserve(time.Now()))) {
		l.release(t)
		r.err = &SendError{Class: Throttled, Err: errNoShare}
		return r
	}
	var mail Rendered
	if r.err = l.err; r.err == nil {
		if mail, r.err = q.word(ctx, a.job, l.sender); r.err != nil {
			l.release(t)
			return r
		}
		r.provider, r.err = q.hand(share, l, mail)
		r.doubt, r.own = mayHaveLeft(r.err), ofOneMail(r.err)
	}
	if errors.Is(ctx.Err(), context.Canceled) && r.err != nil { // we stop: it is not the connector's fault
		l.release(t)
		return r
	}
	blame := r.err
	if mail.Sender != "" && classOf(blame) == Misconfigured && !r.own {
		// It may be the template's sender that is not verified: one template stops no other mails.
		blame = &SendError{Class: Temporary, Err: blame}
	}
	l.note(t, a.job, blame, q.wordsOf(r.err, a.job))
	return r
}

// hand gives a mail to a connector, and tells the provider's id of it.
func (q *Queue) hand(ctx context.Context, l *line, mail Rendered) (provider string, err error) {
	if q.trace != nil {
		traced, ended := q.trace.Send(ctx, l.id)
		ctx = traced
		defer func() { ended(err) }()
	}
	receipt, err := l.sender.Send(ctx, mail)
	return receipt.Provider, err
}

// word words a mail for a sender. One that cannot be worded, for another reason than
// that something is away, is given up.
func (q *Queue) word(ctx context.Context, j job, s Sender) (Rendered, error) {
	mail, err := q.compose(ctx, j.message, s)
	var known *SendError
	if err != nil && !errors.As(err, &known) {
		q.log.Error("mail cannot be worded", "mail", j.id.String(), "usage", j.message.Usage, "error", q.words(err, j))
		err = &SendError{Class: Rejected, Err: err}
	}
	mail.ID = j.id.String()
	return mail, err
}

// fits tells whether d passes before the deadline of ctx.
func fits(ctx context.Context, d time.Duration) bool {
	ends, ok := ctx.Deadline()
	return !ok || time.Until(ends) > d
}

// complain logs a connector that has to be mended.
func (q *Queue) complain(connector string, j job, err error) {
	switch class := classOf(err); {
	case class != Misconfigured && class != Paused:
	case ofOneMail(err):
		q.nag(slog.LevelWarn, "recipients "+connector, "connector does not send to every address", "connector", connector, "class", class, "error", q.words(err, j))
	default:
		q.nag(slog.LevelError, string(class)+" "+connector, "connector cannot send (fix: idp connector set "+connector+" --file config.json)",
			"connector", connector, "class", class, "error", q.words(err, j))
	}
}

// verdict turns a result into what the store writes down.
func (q *Queue) verdict(j job, r result) store.Settled {
	s := store.Settled{ID: j.id, State: store.MailSent, Sender: r.connector, Provider: clean(withoutAddress(r.provider, j.message.To), maxError)}
	about := []any{"mail", j.id.String(), "usage", j.message.Usage, "to", address.Mask(j.message.To),
		"connector", r.connector, "attempt", j.attempts + 1, "took", r.took.Round(time.Millisecond)}
	if r.err == nil {
		if j.withheld {
			s.Error = ceilingWithheld
		}
		q.log.Info("mail sent", about...)
		return s
	}
	class := classOf(r.err)
	s.State, s.Error, s.Refused, s.Own = store.MailFailed, q.words(r.err, j), class == Refused, r.own
	if class != Refused && class != Rejected {
		s.State, s.Retry = store.MailQueued, q.backoff(class, j.attempts)
		if !q.now().Add(s.Retry).Before(store.LastCall(j.created, j.expires)) {
			s.State, s.Retry = store.MailExpired, 0 // there will be no other attempt: say so now
		}
	}
	q.log.Warn("mail not sent", append(about, "class", class, "retry", s.Retry.Round(time.Millisecond), "error", s.Error)...)
	return s
}

// backoff is the wait before the next attempt: exponential, with a jitter of a
// quarter so that mails that failed together do not come back together. Where a
// person has to act or a rate has to calm down, the first wait is longer.
func (q *Queue) backoff(class Class, attempts int) time.Duration {
	wait := q.config.Retry
	if class != Temporary {
		wait *= 2
	}
	for range attempts {
		if wait = 2 * wait; wait >= q.config.MaxRetry {
			break
		}
	}
	wait = min(wait, q.config.MaxRetry)
	return wait - wait/4 + rand.N(wait/2+1)
}
