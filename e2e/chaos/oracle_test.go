//go:build chaos

package chaos_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// halves are states that no fault may leave behind; each counts rows.
var halves = []struct{ what, sql string }{
	{"codes that were used without a session", `SELECT COUNT(*) FROM challenge WHERE consumed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM session WHERE session.hash = challenge.consumed_by)`},
	{"sessions without a code that was used", `SELECT COUNT(*) FROM session WHERE NOT EXISTS (SELECT 1 FROM challenge WHERE challenge.consumed_by = session.hash)`},
	{"sessions of two codes", `SELECT COUNT(*) FROM (SELECT consumed_by FROM challenge WHERE consumed_by IS NOT NULL GROUP BY consumed_by HAVING COUNT(*) > 1) AS twice`},
	{"accounts without a session", `SELECT COUNT(*) FROM users WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.user_id = users.id)`},
	{"sign-ins that are not in the audit log", `SELECT COUNT(*) FROM challenge WHERE consumed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = challenge.id)`},
	{"authorization codes that were redeemed without a grant", `SELECT COUNT(*) FROM auth_code WHERE consumed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM oidc_grant WHERE oidc_grant.id = auth_code.grant_id)`},
	{"authorization codes with a grant that were not redeemed", `SELECT COUNT(*) FROM auth_code WHERE consumed_at IS NULL AND grant_id IS NOT NULL`},
	{"grants without an authorization code", `SELECT COUNT(*) FROM oidc_grant WHERE NOT EXISTS (SELECT 1 FROM auth_code WHERE auth_code.grant_id = oidc_grant.id)`},
	{"grants of two authorization codes", `SELECT COUNT(*) FROM (SELECT grant_id FROM auth_code WHERE grant_id IS NOT NULL GROUP BY grant_id HAVING COUNT(*) > 1) AS twice`},
	{"grants without a session", `SELECT COUNT(*) FROM oidc_grant WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.hash = oidc_grant.session)`},
	{"authorization codes without a session", `SELECT COUNT(*) FROM auth_code WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.hash = auth_code.session)`},
	{"mails without an attempt to sign in", `SELECT COUNT(*) FROM mail WHERE NOT EXISTS (SELECT 1 FROM challenge WHERE challenge.id = mail.challenge)`},
	{"attempts with another number of mails than they count", `SELECT COUNT(*) FROM challenge WHERE sends <> (SELECT COUNT(*) FROM mail WHERE mail.challenge = challenge.id)`},
	{"mails that are settled and keep their text", `SELECT COUNT(*) FROM mail WHERE state <> 1 AND payload IS NOT NULL`},
}

// verdict is what a look at everything gave.
type verdict struct {
	Sessions int      `json:"sessions"`
	Grants   int      `json:"grants"`
	Held     int      `json:"held"` // people whose tokens and session were tried
	Wrong    []string `json:"wrong"`
}

// look checks everything after a fault, by the server that is there now. known are checks of
// idp doctor that find what is so on purpose.
func (c *crowd) look(known ...string) (v verdict) {
	c.t.Helper()
	v.Wrong = append(v.Wrong, c.count().Wrong[c.told:]...)
	defer func() { c.told = len(c.count().Wrong) }() // of what is tried here, too
	db := c.s.DB()
	count := func(sql string) (n int) {
		if err := db.QueryRow(sql).Scan(&n); err != nil {
			v.Wrong = append(v.Wrong, fmt.Sprintf("the database: %v: %s", err, sql))
		}
		return n
	}
	for _, h := range halves {
		if n := count(h.sql); n > 0 {
			v.Wrong = append(v.Wrong, fmt.Sprintf("%d %s", n, h.what))
		}
	}
	v.Sessions, v.Grants = count(`SELECT COUNT(*) FROM session`), count(`SELECT COUNT(*) FROM oidc_grant`)
	v.Held = c.held(&v)
	v.Wrong = append(v.Wrong, c.commands(known)...)
	return v
}

// held tries what was acknowledged: the tokens, and the session.
func (c *crowd) held(v *verdict) (tried int) {
	c.mu.Lock()
	people := slices.Clone(c.people)
	c.mu.Unlock()
	const most = 60 // those of the first and those of the last time
	if len(people) > most {
		people = append(people[:most/3:most/3], people[len(people)-most*2/3:]...)
	}
	for _, p := range people {
		if !p.session {
			continue
		}
		tried++
		p.at = nil
		if p.access != "" {
			page, err := p.Try(http.MethodGet, "/oidc/me", nil, "Authorization", "Bearer "+p.access)
			if err != nil || page.Status != http.StatusOK {
				v.Wrong = append(v.Wrong, fmt.Sprintf("%s: the access token is gone: %d %v", p.email, page.Status, err))
			}
		}
		if p.refresh != "" {
			if err := c.renew(p); err != nil {
				v.Wrong = append(v.Wrong, p.email+": "+err.Error())
			}
		}
		if _, _, err := c.silently(p); err != nil {
			v.Wrong = append(v.Wrong, p.email+": "+err.Error())
		}
	}
	return tried
}

// commands are what an operator would look with.
func (c *crowd) commands(known []string) (wrong []string) {
	out, err := c.s.Command("audit", "verify").CombinedOutput()
	if err != nil {
		wrong = append(wrong, fmt.Sprintf("idp audit verify: %v: %s", err, out))
	}
	for _, f := range c.findings() {
		if f.Level == "failure" && !slices.Contains(known, f.Check) {
			wrong = append(wrong, fmt.Sprintf("idp doctor: %s: %s", f.Check, f.Text))
		}
	}
	return wrong
}

// finding is one line of idp doctor.
type finding struct{ Check, Level, Text string }

func (c *crowd) findings() (all []finding) {
	c.t.Helper()
	cmd := c.s.Command("doctor", "--json")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output() // exit status 1 is a finding
	if jsonErr := json.Unmarshal(out, &all); jsonErr != nil {
		c.t.Errorf("idp doctor: %v %v: %s %s", err, jsonErr, out, stderr.String())
	}
	return all
}
