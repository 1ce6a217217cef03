package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
)

const day = 24 * time.Hour

func (w *world) delivery(o order) store.Delivery {
	w.t.Helper()
	d, err := w.db.Delivery(w.t.Context(), o.mail.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// ordered orders a mail and hands it over.
func (w *world) ordered(q *mailer.Queue, to string) order {
	w.t.Helper()
	o := w.order(q, to, nil)
	o.handTo(q)
	return o
}

func (w *world) events(kind string) int {
	w.t.Helper()
	found, err := w.db.Events(w.t.Context(), store.EventFilter{Kind: kind}, 0, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(found)
}

func (w *world) alarmOn() bool {
	w.t.Helper()
	all, err := w.db.Alarms(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all) == 1 && all[0].Name == store.AlarmMails && all[0].On()
}

// Two replicas together send no more than the ceiling, decoys counted; what is beyond ends with
// an error that names it, is told of once, and goes on when there is room again.
func TestCeilingOfAllMails(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ceiling = store.Window{Count: 5, Period: day}
	one, two := w.queue(nil, quick()), w.queue(nil, quick())
	w.run(one)
	w.run(two)
	decoy := w.order(one, "nobody@example.com", nil)
	decoy.begun.Decoy = true
	decoy.handTo(one)
	w.becomes(store.MailSent, decoy)
	if one.Full() != 0 || two.Full() != 0 {
		t.Fatal("full after one mail")
	}
	var orders []order
	for i := range 10 {
		orders = append(orders, w.ordered([]*mailer.Queue{one, two}[i%2], fmt.Sprintf("p%d@example.com", i)))
	}
	sent := 0
	for _, o := range orders {
		w.until("an end", func() bool { return w.state(o) != store.MailQueued })
		n, _ := w.post.count(string(o.message.To))
		sent += n
		if d := w.delivery(o); n == 0 && (d.State != store.MailExpired || !strings.Contains(d.Error, "IDP_LIMIT_MAILS")) {
			t.Errorf("%d: %s", d.State, d.Error)
		}
	}
	if sent != 4 {
		t.Errorf("%d mails and a decoy were sent", sent)
	}
	for _, q := range []*mailer.Queue{one, two} {
		w.until("both know", func() bool { return q.Full() > 4*time.Hour })
		if c := q.Ceiling(); !c.Enabled || !c.Reached || c.Left != 0 {
			t.Errorf("%+v", c)
		}
	}
	w.until("the alarm", w.alarmOn)
	told := func() int { return strings.Count(w.log.String(), "the ceiling of all mails is reached") }
	w.until("it is logged", func() bool { return told() > 0 })
	// A replica that starts now knows what was sent before.
	third := w.queue(nil, quick())
	stop := w.run(third)
	late := w.ordered(third, "late@example.com")
	w.becomes(store.MailExpired, late)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if told() != 1 || w.events(mailer.EventCeilingReached) != 1 {
		t.Errorf("told %d times in the log, %d times in the audit log", told(), w.events(mailer.EventCeilingReached))
	}
	w.db.AdvanceForTest(day)
	w.until("the end", func() bool { return one.Full() == 0 && two.Full() == 0 && !w.alarmOn() })
	w.until("it is told", func() bool { return w.events(mailer.EventCeilingEnded) == 1 })
	w.becomes(store.MailSent, w.ordered(two, "again@example.com"))
}

// A mail that waits goes when a unit has come back.
func TestMailWaitsForTheCeiling(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ceiling = store.Window{Count: 1, Period: 8 * time.Second}
	q := w.queue(nil, quick())
	first, second := w.order(q, "ada@example.com", nil), w.order(q, "bob@example.com", nil)
	first.handTo(q)
	second.handTo(q)
	w.run(q)
	waits := func(o order) bool { return strings.Contains(w.delivery(o).Error, "waits: the ceiling") }
	w.until("one waits", func() bool { return waits(first) || waits(second) })
	w.becomes(store.MailSent, first)
	w.becomes(store.MailSent, second)
	if d := w.delivery(second); d.Error != "" {
		t.Errorf("%s", d.Error)
	}
}

// A mail that surely did not leave costs nothing; one that may have left costs one, however
// often it is tried.
func TestUnitsOfFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		ends store.MailState // of the first mail
		next store.MailState // of the one after it
	}{
		"throttled": {failing(mailer.Throttled)(0), store.MailSent, store.MailExpired},
		"sure":      {failing(mailer.Temporary)(0), store.MailSent, store.MailExpired},
		"unsure":    {unsure, store.MailSent, store.MailExpired},
		"unknown":   {errors.New("gone"), store.MailSent, store.MailExpired},
		"rejected":  {failing(mailer.Rejected)(0), store.MailFailed, store.MailSent},
		"refused":   {failing(mailer.Refused)(0), store.MailFailed, store.MailSent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.ceiling = store.Window{Count: 1, Period: day}
			w.post.fail = func(try int) error {
				if try < 4 && (try == 1 || c.ends == store.MailSent) {
					return c.err
				}
				return nil
			}
			q := w.queue(nil, quick())
			w.run(q)
			w.becomes(c.ends, w.ordered(q, "ada@example.com"))
			w.becomes(c.next, w.ordered(q, "bob@example.com"))
		})
	}
}

// unsure is the error of a mail that may have left.
var unsure = &mailer.SendError{Class: mailer.Temporary, Err: errors.New("no answer"), Unsure: true}

// An outage of the provider, in which no mail leaves, uses up nothing. One whose end nobody knows of
// each mail does: they may all have left.
func TestUnitsOfAnOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		full bool
	}{"nothing left": {failing(mailer.Temporary)(0), false}, "nobody knows": {unsure, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.ceiling = store.Window{Count: 3, Period: day}
			w.post.fail = func(int) error { return c.err }
			config := quick()
			config.Trip = 1000 // every mail is tried
			q := w.queue(nil, config)
			w.run(q)
			var orders []order
			for i := range 3 {
				orders = append(orders, w.ordered(q, fmt.Sprintf("p%d@example.com", i)))
			}
			w.until("tries", func() bool { _, tries := w.post.count(""); return tries > 9 })
			w.db.AdvanceForTest(time.Hour) // the codes end
			for _, o := range orders {
				w.becomes(store.MailExpired, o)
			}
			w.post.mend()
			if c.full {
				w.until("it is full", func() bool { return q.Full() > 6*time.Hour })
				return
			}
			w.becomes(store.MailSent, w.ordered(q, "next@example.com"))
			w.until("the units are back", func() bool { return q.Ceiling().Left == 2 })
		})
	}
}

// What lets an operator in goes also beyond the ceiling; what anybody else asks for at the console
// is a decoy then. Neither can be told from the other, nor moves what strangers are told.
func TestConsoleGoesBeyondTheCeiling(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ceiling = store.Window{Count: 10, Period: day}
	q := w.queue(nil, quick())
	w.run(q)
	for i := range 9 { // the tenth is left
		w.becomes(store.MailSent, w.ordered(q, fmt.Sprintf("p%d@example.com", i)))
	}
	w.becomes(store.MailExpired, w.ordered(q, "late@example.com"))
	before := q.Full()
	for i := range 3 {
		owner := fmt.Sprintf("owner%d@example.com", i)
		if err := w.db.AddOperator(t.Context(), store.Email(owner), store.RoleOwner); err != nil {
			t.Fatal(err)
		}
		for to, want := range map[string]int{owner: 1, fmt.Sprintf("stranger%d@example.com", i): 0} {
			o := w.order(q, to, func(n *store.NewChallenge) {
				m := message(store.UsageSignIn, "en")
				m.To, m.Console = store.Email(to), true
				n.Mail, _ = q.Seal(m, n.ID)
				if i == 0 {
					n.Mail.Lease = 0
				}
			})
			o.message.Console = true
			if i > 0 { // the first are taken over by a claim
				o.handTo(q)
			}
			w.becomes(store.MailSent, o)
			if n, _ := w.post.count(to); n != want {
				t.Errorf("%s got %d mails", to, n)
			}
			if d := w.delivery(o); (d.Error != "") != (want == 0) {
				t.Errorf("%s: %q", to, d.Error)
			}
		}
	}
	if after := q.Full(); after > before {
		t.Errorf("%s became %s", before, after)
	}
}

// uncounted is the real store, which does not count for a while.
type uncounted struct {
	*sqlstore.DB
	away  atomic.Bool
	asked atomic.Int64
}

func (s *uncounted) TakeUnits(ctx context.Context, l store.Limit, units, kept int) (int, error) {
	s.asked.Add(1)
	if s.away.Load() {
		return 0, &store.Error{Code: store.Unavailable, Op: "take units"}
	}
	return s.DB.TakeUnits(ctx, l, units, kept)
}

// What cannot be counted waits.
func TestUncountedMailIsNotSent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ceiling = store.Window{Count: 5, Period: day}
	db := &uncounted{DB: w.db}
	db.away.Store(true)
	q := w.queue(db, quick())
	w.run(q)
	o := w.ordered(q, "ada@example.com")
	w.until("it is asked for", func() bool { return db.asked.Load() > 1 })
	if n, _ := w.post.count("ada@example.com"); n != 0 {
		t.Error("sent, and not counted")
	}
	db.away.Store(false)
	w.becomes(store.MailSent, o)
}

// A busy replica does not ask for each mail, and gives back what it has not needed.
func TestUnitsAreTakenTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ceiling = store.Window{Count: 100_000, Period: 31 * day} // one comes back in 27 seconds
	db := &uncounted{DB: w.db}
	q := w.queue(db, quick())
	orders := w.orders(200, func(i int) order {
		o := w.order(q, fmt.Sprintf("p%d@example.com", i), func(n *store.NewChallenge) { n.Mail.Lease = time.Minute })
		o.handTo(q)
		return o
	})
	stop := w.run(q)
	for _, o := range orders {
		w.becomes(store.MailSent, o)
	}
	if n := db.asked.Load(); n > 100 {
		t.Errorf("%d transactions for 200 mails", n)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := w.units(); n > 200 || n < 190 { // a busy machine takes its time
		t.Errorf("%d units are gone", n)
	}
}

// units is what was taken of the ceiling, by what a queue that starts now sees of it.
func (w *world) units() int {
	w.t.Helper()
	next := w.queue(nil, quick())
	w.run(next)
	w.until("it was read", func() bool { return next.Ceiling().Left < 90_000 })
	return 90_000 - next.Ceiling().Left
}

// Whoever takes the ceiling away ends its alarm.
func TestAlarmOfACeilingThatIsGone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if err := w.db.RaiseAlarm(t.Context(), store.Alarm{Name: store.AlarmMails}); err != nil {
		t.Fatal(err)
	}
	db := &deaf{DB: w.db}
	db.alarms.Store(2) // it does not answer at first
	w.run(w.queue(db, quick()))
	w.until("the end", func() bool { return !w.alarmOn() })
}

// A busy replica keeps as many units as it may take at once, however many come back, and forgets
// mails that are over.
func TestUnitsThatComeBack(t *testing.T) {
	t.Parallel()
	for count, most := range map[int]int{10_000: 20, 500: 5, 30: 0} {
		w := setup(t)
		w.ceiling = store.Window{Count: count, Period: day}
		q := w.queue(nil, quick())
		q.FailForTest(25, false, w.db.Now().Add(time.Minute))
		q.FailForTest(2, true, w.db.Now().Add(-time.Minute))
		q.FailForTest(3, true, w.db.Now().Add(time.Minute))
		if back, stay, kept := q.RestForTest(); back != 25-most || stay != most || kept != 3 {
			t.Errorf("of %d: %d go back, %d stay, %d mails keep theirs", count, back, stay, kept)
		}
	}
}

// deaf is the real store, which does not answer the first questions.
type deaf struct {
	*sqlstore.DB
	operators, alarms atomic.Int64 // questions that are not answered
}

func (s *deaf) Operators(ctx context.Context) ([]store.Operator, error) {
	if s.operators.Add(-1) >= 0 {
		return nil, &store.Error{Code: store.Unavailable, Op: "list operators"}
	}
	return s.DB.Operators(ctx)
}

func (s *deaf) Alarms(ctx context.Context) ([]store.Alarm, error) {
	if s.alarms.Add(-1) >= 0 {
		return nil, &store.Error{Code: store.Unavailable, Op: "list alarms"}
	}
	return s.DB.Alarms(ctx)
}

// An operator whose name could not be looked up at first gets the mail all the same, also if a unit
// came back meanwhile.
func TestOperatorOfADeafStore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ceiling = store.Window{Count: 1, Period: time.Minute}
	owner := store.Email("owner@example.com")
	if err := w.db.AddOperator(t.Context(), owner, store.RoleOwner); err != nil {
		t.Fatal(err)
	}
	db := &deaf{DB: w.db}
	db.operators.Store(1000)
	q := w.queue(db, quick())
	w.run(q)
	w.becomes(store.MailSent, w.ordered(q, "ada@example.com"))
	o := w.order(q, string(owner), func(n *store.NewChallenge) { n.Mail.Lease = 5 * time.Minute })
	o.message.Console = true
	o.handTo(q)
	w.until("it is asked for", func() bool { return db.operators.Load() < 999 })
	w.db.AdvanceForTest(time.Minute)
	w.until("a unit", func() bool { return q.Full() == 0 })
	_ = db.operators.Swap(0)
	w.becomes(store.MailSent, o)
	if n, _ := w.post.count(string(owner)); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// slowRefunds is the real store of a database that takes its time to take units back.
type slowRefunds struct {
	*sqlstore.DB
	begun, held chan struct{}
}

func (s slowRefunds) Refund(ctx context.Context, units map[store.Limit]int) error {
	s.begun <- struct{}{}
	<-s.held
	return s.DB.Refund(ctx, units)
}

// A mail that finds no unit because they are on their way back waits for them.
func TestUnitsOnTheirWayBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ceiling = store.Window{Count: 1, Period: day}
	w.post.fail = func(try int) error {
		if try == 1 {
			return failing(mailer.Rejected)(try)
		}
		return nil
	}
	slow := slowRefunds{w.db, make(chan struct{}, 1), make(chan struct{})}
	q := w.queue(slow, quick())
	w.run(q)
	w.becomes(store.MailFailed, w.ordered(q, "ada@example.com")) // nothing left: its unit goes back
	<-slow.begun
	if wait := q.Full(); wait != 0 {
		t.Errorf("full for %s", wait)
	}
	o := w.ordered(q, "bob@example.com")
	w.until("the mail waits", func() bool { return w.delivery(o).Error != "" })
	if d := w.delivery(o); d.State != store.MailQueued {
		t.Errorf("%d: %s", d.State, d.Error)
	}
	close(slow.held)
	w.becomes(store.MailSent, o)
}
