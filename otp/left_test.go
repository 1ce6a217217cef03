package otp_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"idp/store"
	"idp/store/pgtest"
	"idp/store/postgres"
)

// Who breaks a request off while his guess is at the database is charged for it, and it counts
// for the alarm like any other: else the alarm would see nothing of a guesser who never waits
// for answers, and a right code after four of these would take four of somebody else's back.
func TestGuessOfWhoHasLeftCounts(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	line := pgtest.NewLine(t, url)
	e, err := postgres.Open(t.Context(), line.URL, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := setupOn(t, e, alarmAt(10))
	direct, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = direct.Close() }()

	a := attempt("ada@example.com", "192.0.2.1")
	id, code := f.begin(a)
	wrong := wrongFor(code, "")
	f.guess(f.engine, a, id, wrong, store.OutcomeWrong) // from here on the statements are prepared
	charged := func() (tries int) {
		if err := direct.QueryRowContext(t.Context(), `SELECT tries FROM challenge`).Scan(&tries); err != nil {
			t.Fatal(err)
		}
		return tries
	}
	left := 0
	for tries := 2; tries <= 4; tries++ {
		g, err := f.engine.Guess(store.Try{Challenge: id, Purpose: a.Purpose, Email: a.Email, Browser: a.Browser, Request: a.Request, IP: a.IP, Code: wrong})
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		release := line.Hold()
		judged := make(chan error, 1)
		go func() {
			_, err := f.engine.Verify(ctx, g, store.Completion{Session: store.NewSession{Hash: store.HashOf(id[:]), Idle: time.Hour, Absolute: time.Hour}, UserID: store.RandomText(12)})
			judged <- err
		}()
		// The clock, which is read each second, may have been faster and have the connection
		// on which the statements are prepared: then this guess waits with it, and the next is tried.
		for end := time.Now().Add(3 * time.Second); charged() < tries && time.Now().Before(end); {
			time.Sleep(2 * time.Millisecond)
		}
		if charged() == tries {
			left++
			leave()
			time.Sleep(20 * time.Millisecond)
		}
		release()
		if err := <-judged; err != nil {
			t.Errorf("try %d: %v", tries, err)
		}
		leave()
	}
	if left == 0 {
		t.Error("no guess was left in time")
	}
	if a := f.look(f.engine); a.Missed != 4 || charged() != 4 {
		t.Errorf("%d guesses are charged and %d count, want 4", charged(), a.Missed)
	}
	f.guess(f.engine, a, id, code, store.OutcomeAccepted)
	if a := f.look(f.engine); a.Missed != 0 || a.Redeemed != 1 {
		t.Errorf("%+v", a)
	}
}
