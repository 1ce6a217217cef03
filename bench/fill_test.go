package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"idp/store"
	"idp/store/sqlstore"
)

func TestFillIsThereAndOnlyWhatExpiredIsPurged(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			const accounts, expiredRows = 200, 400
			ctx := t.Context()
			db, err := openDatabase(ctx, engine, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.close() })
			st := &stage{engine: engine, db: db, people: &people{count: 50}}
			f, err := st.filler(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.engine.Close() })
			if err := f.engine.(interface {
				Migrate(ctx context.Context) error
			}).Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			if err := st.fill(ctx, accounts); err != nil {
				t.Fatal(err)
			}
			if err := (&purge{o: options{Purge: expiredRows}, st: st}).expire(ctx, accounts); err != nil {
				t.Fatal(err)
			}
			if n, err := f.expired(ctx); n != expiredRows || err != nil {
				t.Errorf("%d expired rows and %v, want %d", n, err, expiredRows)
			}
			people := sqlstore.New(f.engine)
			if err := people.Start(ctx); err != nil {
				t.Fatal(err)
			}
			found, err := people.Users(ctx, store.UserQuery{Limit: 5, Terms: []store.UserTerm{{Field: store.UserEmail, Pattern: "person000007.%"}}})
			if err != nil || len(found.Users) != accounts/50 {
				t.Errorf("%d accounts beside one that was registered, and %v; want %d", len(found.Users), err, accounts/50)
			}
			for range 200 {
				if _, err := people.Purge(ctx, 500); err != nil {
					t.Fatal(err)
				}
			}
			for _, b := range grown {
				n := 0
				err := f.engine.Read(ctx, `SELECT COUNT(*) FROM `+b.table, nil, func(scan func(...any) error) error { return scan(&n) })
				if want := int(b.per * accounts); n != want || err != nil {
					t.Errorf("%s: %d rows after the purge and %v, want %d", b.table, n, err, want)
				}
			}
			if n, err := f.expired(ctx); n != 0 || err != nil {
				t.Errorf("%d expired rows after the purge, and %v", n, err)
			}
		})
	}
}

func TestBalancedIsDeploysConfiguration(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile("../" + haproxyConfig)
	if err != nil {
		t.Fatal(err)
	}
	text, err := balanced(string(config), "127.0.0.1:8000", []string{"127.0.0.1:1", "127.0.0.1:2"})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"    bind 127.0.0.1:8000\n", "    server replica1 127.0.0.1:1\n    server replica2 127.0.0.1:2\n", "    balance leastconn\n", "    http-request set-header X-Forwarded-For %[src]\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	if strings.Contains(text, " ssl ") || strings.Contains(text, "127.0.0.1:3001\n") || strings.Contains(text, ":80\n") {
		t.Errorf("there is TLS, or an address of the example, in\n%s", text)
	}
	if _, err := balanced("frontend https\n", "127.0.0.1:8000", nil); err == nil {
		t.Error("another configuration is taken")
	}
}
