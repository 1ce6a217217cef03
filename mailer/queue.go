package mailer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"idp/keyring"
	"idp/store"
)

// Store is what the queue asks of the store.
type Store interface {
	SetConnectorHealth(ctx context.Context, h store.ConnectorHealth) error
	ConnectorHealth(ctx context.Context) ([]store.ConnectorHealth, error)
	ClaimMail(ctx context.Context, worker store.ID, lease time.Duration, limit int) ([]store.QueuedMail, error)
	SettleMail(ctx context.Context, results []store.Settled) error
	Connectors(ctx context.Context) ([]store.Connector, error)
	MailTemplates(ctx context.Context) ([]store.MailTemplate, error)

	TakeUnits(ctx context.Context, l store.Limit, units, kept int) (taken int, err error)
	WholeAgain(ctx context.Context, l store.Limit) (time.Time, error)
	Refund(ctx context.Context, units map[store.Limit]int) error
	Alarms(ctx context.Context) ([]store.Alarm, error)
	RaiseAlarm(ctx context.Context, seen store.Alarm, told ...store.Event) error
	EndAlarm(ctx context.Context, seen store.Alarm, told ...store.Event) error
	Operators(ctx context.Context) ([]store.Operator, error)
}

// Config is how the queue works. A zero field has the default.
type Config struct {
	Workers     int           // mails sent at the same time; 64: at 100 ms a mail they send 640 a second
	SendTimeout time.Duration // of one attempt, all connectors together; 10 s
	Lease       time.Duration // after it another replica takes over; 30 s
	Slack       time.Duration // of a lease, for writing the result down; 5 s
	Poll        time.Duration // between looks for mails to take over; 1 s
	Claim       int           // mails taken over at once, at most; 512
	Backlog     int           // mails of this replica that wait for a worker, and results that wait for the database; 1024
	SettleEvery time.Duration // results wait this long for company; 50 ms
	SettleBatch int           // results written together; 256
	Retry       time.Duration // before the second attempt, doubled for each later one; 2 s
	MaxRetry    time.Duration // 10 s: while a connector fails, its circuit breaker keeps the mails away from it
	Grace       time.Duration // for sends in flight at a stop, and again for their results; 5 s

	// Of a connector's circuit breaker.
	Trip    int           // failures in a row that open it; 5
	Cool    time.Duration // until the first mail tries it again, doubled each time it fails; 0.5 s
	MaxCool time.Duration // 1 s: so soon is a recovery seen, and one mail a second harms nobody
	Halt    time.Duration // the same where a person has to act: misconfigured, account paused; 15 s
	MaxHalt time.Duration // 30 s
}

func (c Config) withDefaults() Config {
	c.Workers = cmp.Or(c.Workers, 64)
	c.SendTimeout = cmp.Or(c.SendTimeout, 10*time.Second)
	c.Lease = cmp.Or(c.Lease, 30*time.Second)
	c.Slack = cmp.Or(c.Slack, 5*time.Second)
	c.Poll = cmp.Or(c.Poll, time.Second)
	c.Claim = cmp.Or(c.Claim, 512)
	c.Backlog = cmp.Or(c.Backlog, 1024)
	c.SettleEvery = cmp.Or(c.SettleEvery, 50*time.Millisecond)
	c.SettleBatch = cmp.Or(c.SettleBatch, 256)
	c.Retry = cmp.Or(c.Retry, 2*time.Second)
	c.MaxRetry = cmp.Or(c.MaxRetry, 10*time.Second)
	c.Grace = cmp.Or(c.Grace, 5*time.Second)
	c.Trip = cmp.Or(c.Trip, 5)
	c.Cool = cmp.Or(c.Cool, 500*time.Millisecond)
	c.MaxCool = cmp.Or(c.MaxCool, time.Second)
	c.Halt = cmp.Or(c.Halt, 15*time.Second)
	c.MaxHalt = cmp.Or(c.MaxHalt, 30*time.Second)
	return c
}

// Deps is what a queue needs.
type Deps struct {
	Store   Store
	Ring    *keyring.Ring
	Senders Kinds
	Replica store.ID // names this process to the others
	Log     *slog.Logger
	Now     func() time.Time // the database's clock
	Config  Config
	Ceiling store.Window // of all mails together; the zero Window is none
	Trace   Trace        // nil: nobody is told
}

// Trace is told how mails are sent. What it gives back is called once, when that has ended.
type Trace interface {
	// Attempt is one attempt to send a mail, decoys included; n counts from 1.
	Attempt(ctx context.Context, mail store.ID, usage store.Usage, n int) (context.Context, func(error))
	// Send is one connector's part of an attempt.
	Send(ctx context.Context, connector string) (context.Context, func(error))
}

// Queue sends mails. Its methods are safe for concurrent use.
type Queue struct {
	store   Store
	sealer  *keyring.Sealer
	book    // of recipients
	replica store.ID
	log     *slog.Logger
	nags    nags
	now     func() time.Time
	config  Config
	trace   Trace

	connectors *lines
	ceiling    *ceiling

	fresh   chan job        // handed over by Sent
	claimed chan job        // taken over by the claimer
	hands   chan assignment // from the dispatcher to the workers
	waiting atomic.Bool     // the dispatcher holds a mail that waits for its turn
	results chan store.Settled
	held    held
	pace    pace
	usual   usual
	texts   renderer
}

// job is one mail in our hands.
type job struct {
	id       store.ID
	message  store.Message
	decoy    bool
	attempts int // before this one, as far as they were counted
	created  time.Time
	expires  time.Time
	paid     bool // holds a unit of the ceiling
	withheld bool // a decoy because the ceiling is reached
}

// New makes a queue. It sends nothing before [Queue.Run].
func New(d Deps) (*Queue, error) {
	c := d.Config.withDefaults()
	if c.Lease <= c.SendTimeout+c.Slack {
		return nil, fmt.Errorf("a mail's lease (%s) has to be longer than the send timeout plus the slack (%s)", c.Lease, c.SendTimeout+c.Slack)
	}
	return &Queue{
		store: d.Store, sealer: d.Ring.Sealer("mail"), book: newBook(d.Ring), replica: d.Replica, log: d.Log, now: d.Now, config: c, trace: d.Trace,
		connectors: &lines{kinds: d.Senders, sealer: d.Ring.Sealer("connector"), config: c, built: map[string]*line{}},
		ceiling:    newCeiling(d.Store, d.Now, d.Ceiling),
		nags:       nags{last: map[string]time.Time{}},
		fresh:      make(chan job, c.Backlog),
		claimed:    make(chan job, c.Claim),
		hands:      make(chan assignment),
		results:    make(chan store.Settled, c.Backlog),
		held:       held{until: map[store.ID]time.Time{}},
	}, nil
}

// Seal makes the row for a mail: sealed, and leased to this replica. The caller may
// give it another id.
func (q *Queue) Seal(m store.Message, challenge store.ID) (store.NewMail, error) {
	plain, err := json.Marshal(m)
	if err != nil {
		return store.NewMail{}, fmt.Errorf("seal mail: %w", err)
	}
	now := q.now()
	addresses := q.addresses.Sums([]byte(m.To))
	mail := store.NewMail{
		ID: store.NewID(now), Usage: m.Usage, Payload: q.sealer.Seal(plain, challenge[:]), Made: now,
		TTL: time.Duration(m.CodeTTL) * time.Minute, Worker: q.replica, Lease: q.config.Lease, Locale: m.Locale,
		Address: addresses[0], Recipient: q.recipients.Seal([]byte(m.To), addresses[0][:]),
	}
	if len(addresses) > 1 {
		mail.Before = addresses[1]
	}
	return mail, nil
}

// Sent hands over a mail whose row is committed. It never blocks: if all hands
// are full, the lease ends and a replica claims the row.
func (q *Queue) Sent(mail store.NewMail, _ store.ID, m store.Message, decoy bool) {
	if !q.held.take(mail.ID, mail.Made.Add(mail.Lease)) {
		return
	}
	select {
	case q.fresh <- job{id: mail.ID, message: m, decoy: decoy, created: mail.Made, expires: mail.Made.Add(mail.TTL)}:
	default:
		q.held.drop(mail.ID)
		q.nag(slog.LevelWarn, "backlog", "mails come in faster than they can be sent: they wait for their lease to end",
			"backlog", q.config.Backlog)
	}
}

// Run sends until ctx ends. Then it takes nothing new, gives sends in flight the
// grace period, writes their results down and gives back what it had not begun.
// It may be called once. The error says that results could not be written: those
// mails may go a second time.
func (q *Queue) Run(ctx context.Context) error {
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending()
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()

	settled := make(chan error, 1)
	go func() { settled <- q.settle(writing) }()
	var hands sync.WaitGroup
	for range q.config.Workers {
		hands.Go(func() { q.work(sending, writing) })
	}
	hands.Go(func() { q.dispatch(ctx, writing) })
	hands.Go(func() { q.claim(ctx, writing) })
	hands.Go(func() { q.watch(ctx) })

	<-ctx.Done()
	defer time.AfterFunc(q.config.Grace, stopSending).Stop()
	defer time.AfterFunc(2*q.config.Grace, stopWriting).Stop()
	hands.Wait()
	q.giveBack(writing)
	if err := q.ceiling.giveBack(writing, true); err != nil {
		q.log.Warn("cannot give back what was taken of the ceiling of all mails: it counts as sent", "error", err)
	}
	close(q.results)
	return <-settled
}

// giveBack lets go of what is in our hands and was not begun: any replica may claim it at once.
func (q *Queue) giveBack(writing context.Context) (mails int) {
	for ; ; mails++ {
		select {
		case j := <-q.fresh:
			q.putBack(writing, j)
		case j := <-q.claimed:
			q.putBack(writing, j)
		default:
			return mails
		}
	}
}

// report passes a result to the settler. It blocks while the database is away
// and the backlog of results is full: what cannot be written down is not sent.
func (q *Queue) report(writing context.Context, s store.Settled) {
	if s.State == store.MailQueued {
		// Whoever takes it over has it for a whole lease from the end of ours on.
		s.Leased = q.held.lease(s.ID).Add(q.config.Lease / 2)
	}
	select {
	case q.results <- s:
	case <-writing.Done():
	}
}

// errUnsettled is the cause in the error of [Queue.Run].
var errUnsettled = errors.New("the database could not be reached")
