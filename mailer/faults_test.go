package mailer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
	"idp/store"
	"idp/store/pgtest"
	"idp/store/postgres"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// faults is the table of docs/email-queue.md: what SES does, and how the mail ends if
// SES does so once, and if it does so until the mail's time is over.
var faults = []struct {
	name        string
	fault       sestest.Fault
	once, lasts store.MailState
	taken       bool // SES takes the mail although it seems to fail
}{
	{name: "200", fault: sestest.OK, once: store.MailSent, lasts: store.MailSent},
	{name: "MessageRejected", fault: sestest.NotTaken, once: store.MailFailed, lasts: store.MailFailed},
	{name: "BadAddress", fault: sestest.BadAddress, once: store.MailFailed, lasts: store.MailFailed},
	{name: "MailFromDomainNotVerified", fault: sestest.MailFrom, once: store.MailSent, lasts: store.MailExpired},
	{name: "NotVerified", fault: sestest.NotVerified("us-east-1", "no-reply@example.com"), once: store.MailSent, lasts: store.MailExpired},
	{name: "Paused", fault: sestest.Paused, once: store.MailSent, lasts: store.MailExpired},
	{name: "403", fault: sestest.Denied, once: store.MailSent, lasts: store.MailExpired},
	{name: "429", fault: sestest.Throttled, once: store.MailSent, lasts: store.MailExpired},
	{name: "500", fault: sestest.Internal, once: store.MailSent, lasts: store.MailExpired},
	{name: "503", fault: sestest.Unavailable, once: store.MailSent, lasts: store.MailExpired},
	{name: "Hang", fault: sestest.Hang, once: store.MailSent, lasts: store.MailExpired},
	{name: "Reset", fault: sestest.Reset, once: store.MailSent, lasts: store.MailExpired},
	{name: "AcceptThenReset", fault: sestest.TakenReset, once: store.MailSent, lasts: store.MailExpired, taken: true},
}

// opener makes an empty database; dir is where its files are, if it is a file.
type opener = func(t *testing.T) (e migrated, dir string)

var engines = map[string]opener{
	"SQLite": func(t *testing.T) (migrated, string) {
		path := sqlitetest.File(t)
		e, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return e, filepath.Dir(path)
	},
	"Postgres": func(t *testing.T) (migrated, string) {
		e, err := postgres.Open(t.Context(), pgtest.URL(t)+"&pool_max_conns=2", postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return e, ""
	},
}

// code is that of every mail here; no row and no line of the log may hold it.
const code = "83920174"

// untilSent is the life of a mail that does not expire here, however busy the machine is.
const untilSent = 90 * time.Second

// untilTaken is when the mails of the dead replica are taken over: long after the other
// one has begun with its own, or it would take those that are sent at that moment.
const untilTaken = 4 * time.Second

// Each fault of SES ends in the state that the table says, on both engines, with two
// replicas that race for the mails and one of them killed: none is lost, and none is
// sent twice but after an answer that was lost.
func TestFaults(t *testing.T) {
	t.Parallel()
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var trials []*trial
			start := func(name string, open opener, want store.MailState, taken bool, ttl time.Duration, fault func(try int) sestest.Fault) {
				r := newTrial(t, open, fault)
				r.name, r.want, r.taken = name, want, taken
				r.start(ttl)
				trials = append(trials, r)
			}
			for _, f := range faults {
				start(f.name+", once", open, f.once, f.taken, untilSent, func(try int) sestest.Fault {
					if try == 1 {
						return f.fault
					}
					return sestest.OK
				})
				life := untilSent
				if f.lasts == store.MailExpired {
					life = untilTaken + 3*time.Second
				}
				start(f.name+", lasting", open, f.lasts, f.taken, life, func(int) sestest.Fault { return f.fault })
			}
			for _, r := range trials { // they have gone on side by side
				r.end()
			}
		})
	}
}

// trial is two replicas, one mortal, with a fake SES.
type trial struct {
	*world
	name  string
	want  store.MailState
	taken bool // the provider takes mails and says that it did not
	dir   string
	fake  *sestest.Server
	tries map[string]int // of each address; the fake locks it
	alive *mailer.Queue
	dying *mailer.Queue
	m     *mortal
	heard ledger

	ordered []order
}

func newTrial(t *testing.T, open opener, fault func(try int) sestest.Fault) *trial {
	e, dir := open(t)
	r := &trial{world: setupOn(t, e), dir: dir, fake: sestest.Start(sestest.Options{}), tries: map[string]int{}}
	t.Cleanup(r.fake.Close)
	r.fake.SetAccount(sestest.Account{SendingEnabled: true, ProductionAccessEnabled: true, EnforcementStatus: "HEALTHY", MaxSendRate: 10_000, Max24HourSend: 1e6})
	r.fake.Decide(func(m sestest.Mail) sestest.Fault {
		r.tries[m.To]++
		return fault(r.tries[m.To])
	})
	r.code = code
	make := ses.Factory(ses.Options{Endpoint: r.fake.URL})
	r.m = &mortal{DB: r.db, begun: map[string]bool{}, settled: map[store.ID]bool{}}
	r.heard = ledger{taken: map[string]int{}, unheard: map[string]int{}}
	r.more = mailer.Kinds{ses.ID: r.heard.kept(make), "post": make}
	c := mailer.Config{SendTimeout: 500 * time.Millisecond, Slack: 2500 * time.Millisecond, Lease: untilTaken, Poll: 50 * time.Millisecond,
		Retry: 50 * time.Millisecond, MaxRetry: 200 * time.Millisecond, Grace: time.Millisecond, Workers: 8,
		Cool: 50 * time.Millisecond, MaxCool: 200 * time.Millisecond, Halt: 50 * time.Millisecond, MaxHalt: 200 * time.Millisecond}
	r.connect(ses.ID, string(r.fake.Config(nil)))
	r.disconnect("post")
	r.alive = r.queue(nil, c)
	r.more[ses.ID] = func(config []byte) (mailer.Sender, error) {
		s, err := r.heard.kept(make)(config)
		r.m.Sender = s
		return r.m, err
	}
	r.dying = r.queue(r.m, c)
	return r
}

// disconnect takes a connector away.
func (w *world) disconnect(id string) {
	w.t.Helper()
	s := sqlstore.Script{}
	s.Do(`DELETE FROM connector WHERE id = $1`, id)
	s.Do(`UPDATE instance SET epoch = epoch + 1`)
	if err := w.engine.Run(w.t.Context(), &s); err != nil {
		w.t.Fatal(err)
	}
	w.until("a cache without it", func() bool {
		c, err := w.db.Connectors(w.t.Context())
		return err == nil && len(c) == 1
	})
}

// end waits until all mails have ended and looks at how.
func (r *trial) end() {
	r.t.Helper()
	orders := r.ordered
	r.until("an end of every mail", func() bool {
		n, _, err := r.db.MailDepth(r.t.Context())
		return err == nil && n == 0
	})
	got := map[string]int{}
	for _, m := range r.fake.Mails() {
		got[m.To]++
		if !strings.Contains(m.Text, code) {
			r.t.Error("a mail without its code")
		}
	}
	for _, o := range orders {
		r.judge(o, got[string(o.message.To)])
	}
	r.nothingInClear()
}

// judge compares how a mail ended, and how often it was taken, with what should be.
func (r *trial) judge(o order, got int) {
	r.t.Helper()
	state := r.state(o)
	told, late := r.heard.of(string(o.message.To))
	unknown := r.m.unknown(o) // the dead replica may have sent it, and could not say so
	// Tried again, it met no fault: rightly so if nobody had heard of the first one, which on
	// a busy machine is also an answer that came too late.
	if again := unknown || late > 0; state != r.want && (!again || state != store.MailSent) {
		r.t.Errorf("%s: a mail ended in state %d, want %d", r.name, state, r.want)
	}
	// How often a replica was told that SES took it says whether one sent it although
	// it could know better. How often it was really taken also counts answers that came too
	// late, which nobody can know of.
	least, most := 0, 0
	if state == store.MailSent {
		least, most = 1, 1
	}
	if unknown {
		most++
	}
	if told > most {
		r.t.Errorf("%s: SES said %d times that it took a mail (unknown to the dead: %t), want %d at most", r.name, told, unknown, most)
	}
	most = told + late
	if r.taken {
		most = r.tries[string(o.message.To)]
	}
	if got < least || got > most {
		r.t.Errorf("%s: a mail in state %d (unknown to the dead: %t) was taken %d times, want %d to %d", r.name, state, unknown, got, least, most)
	}
}

// start queues mails: a third handed to each replica, a third for who comes first. It
// runs both replicas and kills one while it has some in hand.
func (r *trial) start(ttl time.Duration) {
	const mails = 45
	orders := r.orders(mails, func(i int) order {
		q := r.alive
		if i%3 == 1 {
			q = r.dying
		}
		return r.order(q, fmt.Sprintf("p%d@example.com", i), func(n *store.NewChallenge) {
			n.Mail.TTL = ttl
			if i%3 == 2 {
				n.Mail.Lease = 0
			}
		})
	})
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	ended := make(chan error, 1)
	go func() { ended <- r.dying.Run(ctx) }()
	r.run(r.alive)
	for i, o := range orders {
		switch i % 3 {
		case 0:
			o.handTo(r.alive)
		case 1:
			o.handTo(r.dying)
		}
		if i == mails/2 {
			r.until("a mail of the dying replica", func() bool { return r.m.begunAny() })
			r.m.kill()
			cut()
		}
	}
	<-ended
	r.ordered = orders
}

// nothingInClear looks for the code and the addresses in rows, files and log.
func (r *trial) nothingInClear() {
	r.t.Helper()
	clear := func(where string, text []byte) {
		for _, secret := range []string{code, "p1@example.com"} {
			if bytes.Contains(text, []byte(secret)) {
				r.t.Errorf("%s holds %s", where, secret)
			}
		}
	}
	clear("the log", []byte(r.log.String()))
	rows := 0
	for _, query := range []string{
		`SELECT error, sender, provider_id, COALESCE(payload, recipient) FROM mail`,
		`SELECT health, connector, health, replica FROM connector_health`,
		`SELECT detail, reason, sender, recipient FROM suppression`,
	} {
		err := r.engine.Read(r.t.Context(), query, nil, func(scan func(...any) error) error {
			var a, b, c string
			var d []byte
			rows++
			err := scan(&a, &b, &c, &d)
			clear("a row of: "+query, []byte(a+b+c+string(d)))
			return err
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	if rows < 45 {
		r.t.Errorf("only %d rows were looked at", rows)
	}
	if r.dir == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil || len(files) == 0 {
		r.t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			r.t.Fatal(err)
		}
		if bytes.Contains(text, []byte(code)) {
			r.t.Errorf("%s holds the code", filepath.Base(f))
		}
	}
}
