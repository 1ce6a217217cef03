package mailer

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"idp/store"
	"idp/store/address"
)

// work sends mails one after the other until ctx ends.
func (q *Queue) work(ctx, sending, writing context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case j := <-q.fresh:
			q.handle(sending, writing, j)
		case j := <-q.claimed:
			q.handle(sending, writing, j)
		}
	}
}

// handle sends a mail if it is in time and there is life in its lease.
func (q *Queue) handle(sending, writing context.Context, j job) {
	now := q.now()
	switch {
	case !now.Before(j.expires):
		q.report(writing, store.Settled{ID: j.id, State: store.MailExpired, Error: "its time ran out before a sender took it"})
	case now.Add(q.config.SendTimeout + q.config.Slack).After(q.held.lease(j.id)):
		q.held.drop(j.id) // too late for this lease: the next holder sends it
	default:
		ctx, cancel := context.WithTimeout(sending, q.config.SendTimeout)
		r := q.send(ctx, j)
		cancel()
		q.report(writing, q.verdict(j, r))
	}
}

// result is how one attempt ended.
type result struct {
	connector string // that took or refused it
	provider  string
	err       error
	took      time.Duration
}

var errNoConnector = &SendError{Class: Misconfigured, Err: errors.New("no connector is set up")}

// send tries the connectors in order. One that refuses the address ends it: the
// next one would only collect the same bounce.
func (q *Queue) send(ctx context.Context, j job) result {
	connectors, err := q.store.Connectors(ctx)
	if err != nil {
		return result{err: err}
	}
	if len(connectors) == 0 {
		q.nag(slog.LevelError, "connectors", "mails wait: no connector is set up (fix: idp connector set http --file config.json)")
		return result{err: errNoConnector}
	}
	mail, err := q.compose(ctx, j.message, nil)
	if err != nil {
		q.log.Error("mail given up: it cannot be rendered", "mail", j.id.String(), "error", err)
		return result{err: &SendError{Class: Rejected, Err: err}}
	}
	if j.decoy { // rendered like any other: it takes the machine the same time
		return q.pace.replay(ctx)
	}
	mail.ID = j.id.String()
	var r result
	for _, c := range connectors {
		start := time.Now()
		r = q.sendBy(ctx, c, mail)
		r.took = time.Since(start)
		if r.err == nil || classOf(r.err) == Refused || ctx.Err() != nil {
			break
		}
		q.complain(c.ID, j, r.err)
	}
	q.pace.record(r)
	return r
}

func (q *Queue) sendBy(ctx context.Context, c store.Connector, mail Rendered) result {
	sender, err := q.senders.get(c)
	if err != nil {
		return result{connector: c.ID, err: err}
	}
	receipt, err := sender.Send(ctx, mail)
	return result{connector: c.ID, provider: receipt.Provider, err: err}
}

// complain logs a connector that has to be mended.
func (q *Queue) complain(connector string, j job, err error) {
	if class := classOf(err); class == Misconfigured || class == Paused {
		q.nag(slog.LevelError, string(class)+" "+connector, "connector cannot send (fix: idp connector set "+connector+" --file config.json)",
			"connector", connector, "class", class, "error", q.words(err, j))
	}
}

// verdict turns a result into what the store writes down.
func (q *Queue) verdict(j job, r result) store.Settled {
	s := store.Settled{ID: j.id, State: store.MailSent, Sender: r.connector, Provider: clean(r.provider, maxError)}
	about := []any{"mail", j.id.String(), "usage", j.message.Usage, "to", address.Mask(j.message.To),
		"connector", r.connector, "attempt", j.attempts + 1, "took", r.took.Round(time.Millisecond)}
	if r.err == nil {
		q.log.Info("mail sent", about...)
		return s
	}
	class := classOf(r.err)
	s.State, s.Error, s.Refused = store.MailFailed, q.words(r.err, j), class == Refused
	if class != Refused && class != Rejected {
		s.State, s.Retry = store.MailQueued, q.backoff(class, j.attempts)
		if q.now().Add(s.Retry).After(j.expires) {
			s.State, s.Retry = store.MailExpired, 0 // there will be no other attempt: say so now
		}
	}
	about = append(about, "class", class, "retry", s.Retry.Round(time.Millisecond), "error", s.Error)
	if !errors.Is(r.err, errNoConnector) { // that one is said once a minute for all
		q.log.Warn("mail not sent", about...)
	}
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
			wait = q.config.MaxRetry
			break
		}
	}
	return wait - wait/4 + rand.N(wait/2+1)
}

// words is an error as it may be logged and stored: without the address and the
// code, which providers like to quote.
func (q *Queue) words(err error, j job) string {
	text := err.Error()
	if to := string(j.message.To); to != "" {
		text = strings.ReplaceAll(strings.ReplaceAll(text, to, address.Mask(j.message.To)), strings.ToLower(to), address.Mask(j.message.To))
	}
	if j.message.Code != "" {
		text = strings.ReplaceAll(text, j.message.Code, "[code]")
	}
	return clean(text, maxError)
}
