//go:build chaos

package chaos_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
	"idp/mailer/ses/sestest"
)

// sesDown has SES refuse for an hour, which the database's clock makes short: with SES alone, and
// with another connector after it.
func sesDown(t *testing.T) {
	pg, move := movedPostgres(t)
	fake := sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	fake.SetIdentity("no-reply@example.com", sestest.Identity{Verified: true})
	s := on(t, pg.URL()+"&pool_max_conns=10", pg.URL(), "IDP_AWS_ENDPOINT_URL="+fake.URL)
	config := filepath.Join(s.Dir, "ses.json")
	if err := os.WriteFile(config, fake.Config(nil), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Run("connector", "set", "aws-ses-mail", "--file", config)
	s.Start()
	c := &crowd{t: t, s: s, mails: rig.NewSink(t, nil), stop: make(chan struct{})}
	c.register()
	db := s.DB()
	state := func(n int) (states []int) {
		rows, err := db.Query(`SELECT state FROM mail ORDER BY id`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var one int
			if err := rows.Scan(&one); err != nil {
				t.Fatal(err)
			}
			states = append(states, one)
		}
		if len(states) != n {
			t.Fatalf("%d mails, want %d", len(states), n)
		}
		return states
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not after %s; mails %v, SES was asked %d times", what, patience, state(len(c.people)), fake.Requests())
			}
		}
	}
	const queued, sent, expired = 1, 2, 4
	var bad []string

	fake.Always(sestest.Unavailable)
	early, late := c.person(nil), c.person(nil)
	_, earlyPage, err := c.begin(early)
	if err != nil {
		t.Fatal(err)
	}
	until("SES refuses", func() bool { return fake.Requests() > 0 })
	move(9*time.Minute + 20*time.Second) // less than a minute of the code's life is left
	until("the early mail expires", func() bool { return state(1)[0] == expired })
	page, err := early.Try(http.MethodGet, earlyPage.URL.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.Text(), "The mail was not sent in time") {
		bad = append(bad, "the page of the early mail says "+page.Text())
	}
	move(55 * time.Minute)
	time.Sleep(2 * time.Second) // each second the clock is read
	r, latePage, err := c.begin(late)
	if err != nil {
		t.Fatal(err)
	}
	asked := fake.Requests()
	until("SES refuses again", func() bool { return fake.Requests() > asked })
	if got := state(2); !slices.Equal(got, []int{expired, queued}) {
		bad = append(bad, fmt.Sprintf("the mails are %v, want the first one expired and the second one waiting", got))
	}
	move(60 * time.Minute)
	fake.Always(sestest.OK)
	mended := time.Now()
	until("the late mail goes", func() bool { return fake.Accepted() > 0 })
	back := time.Since(mended)
	if m := fake.Mails()[0]; m.To != late.email || fake.Accepted() != 1 {
		bad = append(bad, fmt.Sprintf("after the hour %d mails go out, the first one to %s", fake.Accepted(), m.To))
	}
	if err := c.finish(late, r, latePage, rig.CodeIn(fake.Mails()[0].Text)); err != nil {
		t.Error(err)
	}
	after, v := c.count(), c.look("clock")
	v.Wrong = append(v.Wrong, bad...)
	add(t, row{Fault: "SES down for an hour", Where: "mail", Expected: "mails wait; who can still use the code gets it, the others' is dropped and their page says so",
		Seen: seen("the early mail expired, the late one came once and its code worked", after, v), Back: back, Tally: after, Verdict: v})

	before := c.count()
	s.MailTo(c.mails.URL) // after SES in the order
	until("the second connector is taken up", func() bool { return strings.Contains(s.Run("connector", "list", "--json"), `"http"`) })
	time.Sleep(6 * time.Second) // caches are at most 5 s old
	fake.Always(sestest.Unavailable)
	c.come(2)
	c.until(8)
	c.leave()
	after, v = c.since(before), c.look("clock")
	if took := fake.Accepted(); took != 1 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("SES took %d mails", took))
	}
	add(t, row{Fault: "SES down, a second connector", Where: "mail", Expected: "the second one takes over within the same attempt",
		Seen: seen("", after, v), Tally: after, Verdict: v})
	if got := state(len(c.people)); slices.Contains(got, queued) || !slices.Contains(got, sent) {
		t.Errorf("mails are %v", got)
	}
}
