package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// sends is a network's limit: six requests, two of them without a proof. A day is long
// enough that none comes back while a test runs.
func sends() store.Limit {
	l := limit("ip_sends", 6, 24*time.Hour)
	l.Free = store.Window{Count: 2, Period: 24 * time.Hour}
	return l
}

// proven is what the same limit is for who has shown a proof.
func proven(l store.Limit) store.Limit {
	l.Free = store.Window{}
	return l
}

// asks begins a challenge for somebody new under a network's limits.
func (f *fixture) asks(db *sqlstore.DB, ip, waits store.Limit) error {
	n := f.begin("ada@example.com")
	n.IP, n.Waits = ip, waits
	_, err := db.BeginChallenge(f.ctx(), n)
	return err
}

// Of a network's requests the first are free, the next need a proof, and then nobody is
// given any more. A refusal writes nothing.
func testProofs(t *testing.T, f *fixture) {
	ip := sends()
	for range 2 {
		f.no(f.asks(f.db, ip, store.Limit{}))
	}
	rows := func() int {
		return f.count(`SELECT COUNT(*) FROM budget`) + f.count(`SELECT COUNT(*) FROM challenge`) + f.count(`SELECT COUNT(*) FROM mail`)
	}
	before := rows()
	f.want(f.asks(f.db, ip, store.Limit{}), store.Unproven)
	if after := rows(); after != before {
		t.Errorf("a request without a proof made %d rows", after-before)
	}
	for range 4 {
		f.no(f.asks(f.db, proven(ip), store.Limit{}))
	}
	f.want(f.asks(f.db, proven(ip), store.Limit{}), store.Limited)
	f.want(f.asks(f.db, ip, store.Limit{}), store.Limited) // a proof would not help

	f.db.AdvanceForTest(13 * time.Hour) // one of two is free again, three of six
	f.no(f.asks(f.db, ip, store.Limit{}))
	f.want(f.asks(f.db, ip, store.Limit{}), store.Unproven)
	f.no(f.asks(f.db, proven(ip), store.Limit{}))
}

// Where the address takes no more mails, nobody is made to prove anything for nothing.
func testNoProofInVain(_ *testing.T, f *fixture) {
	ip, recipient := sends(), limit("recipient_sends", 2, 24*time.Hour)
	ask := func(ip store.Limit) error {
		n := f.begin("ada@example.com")
		n.IP, n.Recipient = ip, recipient
		_, err := f.db.BeginChallenge(f.ctx(), n)
		return err
	}
	f.no(ask(ip))
	f.no(ask(ip))
	f.want(ask(ip), store.Limited)
}

// One more code on a challenge counts like a new one.
func testProofOfResend(_ *testing.T, f *fixture) {
	n := f.begin("ada@example.com")
	n.IP = sends()
	f.begun(n)
	f.no(f.asks(f.db, n.IP, store.Limit{}))
	f.db.AdvanceForTest(2 * time.Minute)
	again := store.Resend{
		ID: n.ID, Browser: n.Browser, Request: n.Request, Email: n.Email, Address: n.Address, MAC: mac(2), CodeTTL: 10 * time.Minute,
		NextSend: time.Minute, Mail: f.mail(), IP: n.IP, Recipient: n.Recipient, Unknown: n.Unknown,
	}
	_, err := f.db.ResendCode(f.ctx(), again)
	f.want(err, store.Unproven)
	again.IP = proven(n.IP)
	_, err = f.db.ResendCode(f.ctx(), again)
	f.no(err)
}

// What is redeemed is given back, of what is free, too.
func testRefundOfFree(_ *testing.T, f *fixture) {
	ip := sends()
	for range 5 {
		n := f.begin("ada@example.com")
		n.IP = ip
		f.begun(n)
		g := guess(n, 1)
		g.Confirm = true
		in, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
		f.no(f.db.Refund(f.ctx(), map[store.Limit]int{ip: in.RefundUnits}))
	}
	f.no(f.asks(f.db, ip, store.Limit{}))
	f.no(f.asks(f.db, ip, store.Limit{}))
	f.want(f.asks(f.db, ip, store.Limit{}), store.Unproven) // and no more than that
}

// Waiting is a proof for one of a network at a time, and stays one for the next.
func testWaits(_ *testing.T, f *fixture) {
	ip, waits := proven(sends()), limit("ip_waits", 1, 30*time.Second)
	f.no(f.asks(f.db, ip, waits))
	f.want(f.asks(f.db, ip, waits), store.Unproven)
	f.no(f.asks(f.db, ip, store.Limit{})) // who shows more is not held up
	f.db.AdvanceForTest(40 * time.Second)
	f.no(f.asks(f.db, ip, waits))
}

// Bursts at both borders, over two replicas: not one request more than there is room for.
func testParallelProofs(t *testing.T, f *fixture) {
	ip, waits := sends(), limit("ip_waits", 1, time.Hour)
	both := []*sqlstore.DB{f.db, f.replica()}
	burst := func(n int, ip, waits store.Limit) (ok, unproven, limited int64) {
		var counts [3]atomic.Int64
		f.parallel(n, both, func(_ int, db *sqlstore.DB) {
			switch err := f.asks(db, ip, waits); store.CodeOf(err) {
			case "":
				counts[0].Add(1)
			case store.Unproven:
				counts[1].Add(1)
			case store.Limited:
				counts[2].Add(1)
			default:
				t.Error(err)
			}
		})
		return counts[0].Load(), counts[1].Load(), counts[2].Load()
	}
	if ok, unproven, limited := burst(40, ip, store.Limit{}); ok != 2 || unproven != 38 || limited != 0 {
		t.Errorf("without proofs: %d begun, %d unproven, %d limited; want 2, 38, 0", ok, unproven, limited)
	}
	if ok, unproven, limited := burst(40, proven(ip), waits); ok != 1 || unproven != 39 || limited != 0 {
		t.Errorf("waited: %d begun, %d unproven, %d limited; want 1, 39, 0", ok, unproven, limited)
	}
	if ok, unproven, limited := burst(40, proven(ip), store.Limit{}); ok != 3 || unproven != 0 || limited != 37 {
		t.Errorf("with proofs: %d begun, %d unproven, %d limited; want 3, 0, 37", ok, unproven, limited)
	}
	if c, m := f.count(`SELECT COUNT(*) FROM challenge`), f.count(`SELECT COUNT(*) FROM mail`); c != 6 || m != 6 {
		t.Errorf("%d challenges and %d mails, want 6 of each", c, m)
	}
}
