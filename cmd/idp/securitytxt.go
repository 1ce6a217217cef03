package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// reportsFor is how far ahead security.txt says that it holds. RFC 9116 section 2.5.5
// wants less than a year; a server that runs says anew each day that somebody minds it.
const reportsFor = 90 * 24 * time.Hour

// securityTxt says where to report a vulnerability (RFC 9116).
func (s *server) securityTxt(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	for _, contact := range s.options.SecurityContact {
		fmt.Fprintf(&b, "Contact: %s\n", contact)
	}
	fmt.Fprintf(&b, "Expires: %s\n", time.Now().UTC().Truncate(24*time.Hour).Add(reportsFor).Format(time.RFC3339))
	fmt.Fprintf(&b, "Canonical: %s%s\n", s.options.endpoint, r.URL.Path)
	if s.options.SecurityPolicy != "" {
		fmt.Fprintf(&b, "Policy: %s\n", s.options.SecurityPolicy)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(b.String()))
}
