package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idp/e2e/rig"
	"idp/store/pgtest"
)

// goesOn fails the test unless a refresh token and the visitor's session live, and the audit
// log is whole.
func goesOn(t *testing.T, s *rig.Server, app rig.Client, v *rig.Visitor, refresh string) {
	t.Helper()
	if refreshed, access := s.Refresh(app, refresh); refreshed == "" || access == "" {
		t.Error("the refresh token is gone")
	}
	again := s.Request(app, "prompt", "none")
	if v.Get(again.Path()).Answer(again).Get("code") == "" {
		t.Error("the session is gone")
	}
	s.Run("audit", "verify")
}

// From one machine to many: everything goes over, and people go on where they were.
func TestCopyFromSQLiteToPostgres(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.Lasting("traditional")
	v := rig.NewVisitor(t, s)
	r := s.Request(app, "scope", rig.Offline)
	tok := s.Redeem(r, v.SignUp(r, "ada@example.com").Get("code"))
	typing := rig.NewVisitor(t, s)
	asked := s.Request(app)
	p := typing.Enter(asked, "ada@example.com").Is(200)
	code := s.Code("ada@example.com", 2)

	url := pgtest.URL(t)
	copies := []string{"copy", "--from", "sqlite:" + s.Database, "--to", url}
	if out, err := s.Try(copies...); err == nil || !strings.Contains(out, "stop it") && !strings.Contains(out, "Stop the server") {
		t.Fatalf("copied while the server runs: %v %s", err, out)
	}
	s.Stop()
	s.Run(copies...)
	if out, err := s.Try(copies...); err == nil || !strings.Contains(out, "not empty") {
		t.Errorf("copied over what is there: %v %s", err, out)
	}
	from := s.Env
	s.Database, s.Engine = url, "postgres"
	s.Env = append(s.Env, "IDP_DATABASE_URL="+url)
	// One that was interrupted: nobody serves it, and the next one is whole.
	if _, err := s.DB().Exec(`UPDATE instance SET secret_check = $1`, bytes.Repeat([]byte{0xC0}, 32)); err != nil {
		t.Fatal(err)
	}
	if out, err := s.Try("client", "list"); err == nil {
		t.Errorf("a copy in part is used: %s", out)
	}
	to := s.Env
	s.Env = from
	s.Run(copies...)
	s.Env = to
	s.Start()

	goesOn(t, s, app, v, tok.RefreshToken)
	if tok := s.Redeem(asked, typing.Submit(p, "/verify", "code", code).Answer(asked).Get("code")); tok.Status != 200 {
		t.Errorf("a code that was mailed before: %+v", tok)
	}
	if out := s.Run("audit", "list"); !strings.Contains(out, "user.registered") {
		t.Errorf("the audit log: %s", out)
	}

	// And back: what is empty is not NULL, and a time is a time.
	s.Stop()
	back := filepath.Join(t.TempDir(), "idp.db")
	s.Run("copy", "--from", url, "--to", "sqlite:"+back)
	s.Database, s.Engine = back, "sqlite"
	s.Env = append(s.Env, "IDP_DATABASE_URL=sqlite:"+back)
	s.Start()
	goesOn(t, s, app, v, tok.RefreshToken)
}

// A backup is made while people sign in, and what was acknowledged before it is in it.
func TestBackupOfSQLite(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.Lasting("traditional")
	v := rig.NewVisitor(t, s)
	r := s.Request(app, "scope", rig.Offline)
	tok := s.Redeem(r, v.SignUp(r, "ada@example.com").Get("code"))
	file := filepath.Join(t.TempDir(), "backup.db")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 5 { // meanwhile
			rig.NewVisitor(t, s).Enter(s.Request(app), string(rune('a'+i))+"@example.com")
		}
	}()
	s.Run("backup", file)
	<-done
	if out, err := s.Try("backup", file); err == nil || !strings.Contains(out, "not there") {
		t.Errorf("wrote over a backup: %v %s", err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}

	// The disk is gone; the file is put in its place.
	s.Kill()
	for _, part := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(s.Database + part)
	}
	if err := os.Rename(file, s.Database); err != nil {
		t.Fatal(err)
	}
	s.Start()
	goesOn(t, s, app, v, tok.RefreshToken)
	if out := s.Run("user", "show", "ada@example.com"); !strings.Contains(out, "ada@example.com") {
		t.Error(out)
	}
}

// The same with Postgres' own tools.
func TestBackupOfPostgres(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "postgres")
	s.Start()
	app := s.Lasting("traditional")
	v := rig.NewVisitor(t, s)
	r := s.Request(app, "scope", rig.Offline)
	tok := s.Redeem(r, v.SignUp(r, "ada@example.com").Get("code"))
	dump := filepath.Join(t.TempDir(), "idp.dump")
	rig.NewVisitor(t, s).Enter(s.Request(app), "b@example.com") // a mail is under way
	pgtest.Dump(t, s.Database, dump)
	s.Kill()
	pgtest.Restore(t, s.Database, dump)
	s.Start()
	goesOn(t, s, app, v, tok.RefreshToken)
}
