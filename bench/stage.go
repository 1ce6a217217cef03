package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// stage is all that stands around the program under test.
type stage struct {
	engine   string
	db       database
	mails    *sink
	people   *people
	program  program
	endpoint string
}

// setUp makes the database and a program that is connected to it and to the sink.
func setUp(ctx context.Context, o options, engine, dir string) (st *stage, err error) {
	dir = filepath.Join(dir, engine)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	progress("%s: setting up", engine)
	st = &stage{engine: engine, people: &people{count: o.Users, networks: o.IPLimits}}
	if st.db, err = openDatabase(ctx, engine, dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, st.close())
		}
	}()
	if st.mails, err = newSink(); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	st.endpoint = "http://" + address
	st.program = program{path: o.Binary, dir: dir, env: environment(o, address, st.db.settings())}
	return st, st.program.connect(ctx, st.mails.url)
}

// environment are the settings of the program: the limits are there, and so large
// that they never refuse.
func environment(o options, address string, db []string) []string {
	env := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"IDP_ENDPOINT=http://" + address, "IDP_LISTEN=" + address, "IDP_LOG_FORMAT=json",
		"IDP_LIMIT_RECIPIENT_SENDS=100000/h,1000000/24h", "IDP_LIMIT_UNKNOWN_SENDS=100000/h,1000000/24h",
	}, db...)
	if o.IPLimits {
		return append(env, "IDP_TRUSTED_PROXIES=127.0.0.1/32")
	}
	return append(env, "IDP_LIMIT_IP_SENDS=off", "IDP_LIMIT_IP_GUESSES=off", "IDP_LIMIT_IP_PROOF=off", "IDP_LIMIT_IP_WAITS=off")
}

// client registers an application; kind is a type of `idp client create`.
func (st *stage) client(ctx context.Context, kind, scope string) (*app, error) {
	a := &app{endpoint: st.endpoint, redirect: "http://127.0.0.1:9/callback", scope: scope} // never called
	out, err := st.program.command(ctx, "client", "create", "--name", "Bench", "--type", kind, "--redirect-uri", a.redirect, "--json")
	if err != nil {
		return nil, err
	}
	return a, json.Unmarshal(out, a)
}

func (st *stage) visitors(a *app) visitors {
	return visitors{app: a, mails: st.mails, people: st.people}
}

func (st *stage) close() error {
	var err error
	if st.mails != nil {
		err = st.mails.close()
	}
	return errors.Join(err, st.db.close())
}
