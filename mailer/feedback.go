package mailer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"idp/mailer/sns"
	"idp/store"
)

// FeedbackStore is what feedback asks of the store.
type FeedbackStore interface {
	RecordFeedback(ctx context.Context, f store.Feedback) error
	TakeNotification(ctx context.Context, key store.Hash, until time.Time) error
	NotificationTaken(ctx context.Context, key store.Hash) (bool, error)
}

// FeedbackDeps is what feedback needs.
type FeedbackDeps struct {
	Store  FeedbackStore
	Topics []sns.Topic   // whose messages are taken; none: none are
	SNS    *sns.Verifier // of these topics
	Log    *slog.Logger
	Now    func() time.Time // the database's clock
}

// Feedback takes what Amazon SES tells of mails, as SNS posts it. Its methods are safe
// for concurrent use.
type Feedback struct {
	FeedbackDeps
	unset   sync.Once
	waiting chan struct{} // a place for each message that waits for its mail
}

// NewFeedback makes it.
func NewFeedback(d FeedbackDeps) *Feedback {
	return &Feedback{FeedbackDeps: d, waiting: make(chan struct{}, maxWaiting)}
}

// How old and how new a message may be. SNS gives up on an endpoint within the hour;
// what is older is played again.
const (
	maxAge   = 24 * time.Hour
	maxAhead = 5 * time.Minute
)

// How long a message is waited for whose mail is not known yet. SES can tell of a mail
// before the batch is written that holds its id.
const (
	waitFor   = 3 * time.Second
	waitFirst = 150 * time.Millisecond // doubled each time
	youngMail = 2 * time.Minute
	// Other programs may publish to the topic, whose mails we never get to know. Beyond
	// so many SNS is told to come again, which it does after some seconds.
	maxWaiting = 16
)

// Take takes one message. What it changes is committed when it returns nil. Errors:
// [store.Invalid] for what is no message, [store.Unavailable] for what is to be sent
// again later, [store.Used] for what was taken before, [store.Expired] for what is too
// old; [store.NotFound] for what is not to be believed. None holds an address.
func (f *Feedback) Take(ctx context.Context, body []byte) error {
	const op = "take a notification"
	if len(f.Topics) == 0 {
		f.unset.Do(func() {
			f.Log.WarnContext(ctx, "a notification about mails was refused: no topic is set", "setting", "IDP_SES_TOPICS",
				"hint", "set IDP_SES_TOPICS to the ARN of the SNS topic that SES publishes to")
		})
		return &store.Error{Code: store.NotFound, Op: op, Err: sns.ErrTopic}
	}
	m, err := sns.Parse(body)
	if err == nil {
		err = f.SNS.Verify(ctx, m)
	}
	if err != nil {
		return &store.Error{Code: codeOf(err), Op: op, Err: err}
	}
	if now := f.Now(); m.At.Before(now.Add(-maxAge)) || m.At.After(now.Add(maxAhead)) {
		return &store.Error{Code: store.Expired, Op: op, Err: errors.New("it is of another time")}
	}
	switch m.Type {
	case sns.SubscriptionConfirmation:
		return f.subscribe(ctx, m)
	case sns.UnsubscribeConfirmation:
		if err := f.Store.TakeNotification(ctx, nameOf(m), m.At.Add(2*maxAge)); err != nil {
			return err
		}
		f.Log.WarnContext(ctx, "the subscription has ended: what becomes of mails is not told any more", "topic", m.TopicARN)
		return nil
	}
	return f.record(ctx, m)
}

// codeOf says what to do about a message that does not pass.
func codeOf(err error) store.Code {
	switch {
	case errors.Is(err, sns.ErrMalformed):
		return store.Invalid
	case errors.Is(err, sns.ErrUnreachable):
		return store.Unavailable
	}
	return store.NotFound
}

// nameOf names a message among all that ever come.
func nameOf(m sns.Message) store.Hash {
	return sha256.Sum256([]byte("sns\x00" + m.TopicARN + "\x00" + m.MessageID))
}

// subscribe confirms a subscription. Done twice it is the same, so that it is noted
// after it has worked: SNS sends it again if it did not.
func (f *Feedback) subscribe(ctx context.Context, m sns.Message) error {
	const op = "confirm a subscription"
	taken, err := f.Store.NotificationTaken(ctx, nameOf(m))
	switch {
	case err != nil:
		return err
	case taken:
		return &store.Error{Code: store.Used, Op: op}
	}
	if err := f.SNS.Confirm(ctx, m); err != nil {
		f.Log.ErrorContext(ctx, "cannot confirm the subscription to a topic", "error", err)
		return &store.Error{Code: codeOf(err), Op: op, Err: err}
	}
	if err := f.Store.TakeNotification(ctx, nameOf(m), m.At.Add(2*maxAge)); err != nil {
		return err
	}
	f.Log.InfoContext(ctx, "subscribed: what becomes of mails is told from now on", "topic", m.TopicARN)
	return nil
}

// record notes what an event tells.
func (f *Feedback) record(ctx context.Context, m sns.Message) error {
	e, ok := parseEvent(m.Message)
	if !ok { // SES publishes a line of text when its destination is set up
		f.Log.DebugContext(ctx, "a notification that is no event of SES")
		return nil
	}
	fb, ok := e.feedback()
	if !ok {
		return nil
	}
	fb.Notification, fb.Until = nameOf(m), m.At.Add(2*maxAge)
	if fb.At.IsZero() {
		fb.At = m.At
	}
	about := []any{"kind", string(fb.Kind), "connector", fb.Sender, "provider", clean(fb.Provider, maxError)}
	young := f.Now().Sub(e.Mail.Timestamp.time) <= youngMail
	err := f.Store.RecordFeedback(ctx, fb)
	if young && store.CodeOf(err) == store.NotFound {
		err = f.await(ctx, fb)
	}
	switch {
	case err == nil:
		f.Log.InfoContext(ctx, "feedback on a mail", about...)
	case store.CodeOf(err) != store.NotFound:
	case young:
		return &store.Error{Code: store.Unavailable, Op: "take a notification", Err: fmt.Errorf("no mail %q yet", clean(fb.Provider, maxError))}
	default:
		f.Log.DebugContext(ctx, "feedback on a mail that is not ours", about...)
		return nil
	}
	return err
}

// await notes feedback on a mail whose id is about to be written. The error is
// [store.NotFound] if it was not in time, or too many wait already.
func (f *Feedback) await(ctx context.Context, fb store.Feedback) error {
	err := error(&store.Error{Code: store.NotFound, Op: "record feedback"})
	select {
	case f.waiting <- struct{}{}:
		defer func() { <-f.waiting }()
	default:
		return err
	}
	end := time.Now().Add(waitFor)
	for wait := waitFirst; store.CodeOf(err) == store.NotFound && time.Now().Add(wait).Before(end) && sleep(ctx, wait); wait *= 2 {
		err = f.Store.RecordFeedback(ctx, fb)
	}
	return err
}
