package rig

import (
	"database/sql"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

// DB opens the installation's database beside the server, until the test ends: $1 is a
// placeholder on both engines.
func (s *Server) DB() *sql.DB {
	s.T.Helper()
	driver, source := "sqlite", "file:"+s.Database+"?_pragma=busy_timeout(5000)"
	if s.Engine == "postgres" {
		driver, source = "pgx", s.Database
	}
	db := Must(sql.Open(driver, source))
	s.T.Cleanup(func() { _ = db.Close() })
	return db
}

// DaysPass makes all refresh tokens so old that their use replaces them, and that none
// before them is answered any more.
func (s *Server) DaysPass() {
	s.T.Helper()
	const days = 10 * 24 * time.Hour // of 14 without use; from 70 % of them it is replaced
	if _, err := s.DB().Exec(`UPDATE oidc_grant SET refresh_made = refresh_made - $1`, days.Microseconds()); err != nil {
		s.T.Fatal(err)
	}
}
