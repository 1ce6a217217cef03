package main

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"idp/idptest"
	"idp/store/pgtest"
)

const (
	consoleRuns   = 100 // of each page, after one that is not counted
	consoleTarget = 50 * time.Millisecond
	consoleOwner  = "owner@example.com"
	consolePages  = 200 // that are looked for; more than there are
	alike         = 2   // pages of one route that are measured
)

// consoleOnPostgres measures the console's pages and prints a table.
func consoleOnPostgres(ctx context.Context, o options, dir string) (err error) {
	m := describeMachine()
	fmt.Printf("%s, %d cores, %s, %s; %d people, %d entries of the audit log\n", m.CPU, m.Cores, m.System, m.Go, o.People, o.Events)
	cluster, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if err := fillPostgres(ctx, cluster.URL(), o.People, o.Events); err != nil {
		return err
	}
	if o.Binary == "" {
		if o.Binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	endpoint := "http://localhost:" + address[strings.LastIndex(address, ":")+1:]
	secret := make([]byte, 32)
	rand.Read(secret)
	p := program{o.Binary, dir, append(os.Environ(), "IDP_DATABASE_URL="+cluster.URL(), "IDP_SECRET="+base64.StdEncoding.EncodeToString(secret),
		"IDP_ENDPOINT="+endpoint, "IDP_LISTEN="+address)}
	if err := p.setUp(ctx); err != nil {
		return err
	}
	s, err := p.serve(ctx, endpoint)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	c := &consoleVisit{ctx: ctx, endpoint: endpoint, http: &http.Client{}}
	in, err := idptest.SignIn(ctx, c.http, endpoint+"/console", consoleOwner)
	if err != nil {
		return err
	}
	_ = in.Body.Close()
	pages, err := c.find()
	if err != nil {
		return err
	}
	return c.measure(pages, os.Stdout)
}

// setUp makes an owner, a connector, and of everything else that the console lists as much as
// a busy instance has.
func (p program) setUp(ctx context.Context) error {
	var b strings.Builder
	b.WriteString("resources:\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  - {indicator: https://api%d.example.com, name: API %d, scopes: [{name: read}, {name: write}]}\n", i, i)
	}
	b.WriteString("roles:\n")
	for i := range 30 {
		fmt.Fprintf(&b, "  - {name: role %d, type: User, scopes: {https://api%d.example.com: [read]}}\n", i, i%20)
	}
	b.WriteString("clients:\n")
	for i := range 60 {
		fmt.Fprintf(&b, "  - {id: client%04d, name: App %d, type: traditional, redirectUris: [https://app%d.example.com/callback]}\n", i, i, i)
	}
	b.WriteString("hooks:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "  - {name: hook %d, url: https://hook%d.example.com/, events: [User.Created], disabled: true}\n", i, i)
	}
	file := filepath.Join(p.dir, "console.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{{"connector", "set", "inbox"}, {"admin", "add", consoleOwner}, {"apply", "-f", file}} {
		if _, err := p.command(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// consoleVisit is an owner at the console.
type consoleVisit struct {
	ctx      context.Context
	endpoint string
	http     *http.Client
}

// get gives a page as it was sent, and how long that took.
func (c *consoleVisit) get(path string) (body []byte, took time.Duration, err error) {
	r, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.endpoint+path, nil)
	if err != nil {
		return nil, 0, err
	}
	began := time.Now()
	res, err := c.http.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	took = time.Since(began)
	if err == nil && (res.StatusCode != http.StatusOK || res.Request.URL.Path != strings.SplitN(path, "?", 2)[0]) {
		err = fmt.Errorf("%s answers %s from %s", path, res.Status, res.Request.URL.Path)
	}
	return body, took, err
}

var (
	consoleLink = regexp.MustCompile(`<a\b[^>]*\bhref="(/console[^"#]*)`)
	searchField = regexp.MustCompile(`<input\b[^>]*\btype="search"[^>]*>`)
	fieldName   = regexp.MustCompile(`\bname="([^"]+)"`)
	apart       = regexp.MustCompile(`[0-9]|%|[A-Za-z]{12}`) // what an id has and a word of a route has not
)

// find gives the pages that links lead to, and searches, some of each route.
func (c *consoleVisit) find() (paths []string, err error) {
	seen, routes := map[string]bool{"/console": true}, map[string]int{}
	waiting := []string{"/console"}
	for len(waiting) > 0 && len(paths) < consolePages {
		path := waiting[0]
		waiting = waiting[1:]
		body, _, err := c.get(path)
		if err != nil { // a link that leads nowhere is measured by no one, and not kept quiet about
			progress("%v", err)
			continue
		}
		paths = append(paths, path)
		more := []string{}
		for _, m := range consoleLink.FindAllSubmatch(body, -1) {
			more = append(more, html.UnescapeString(string(m[1])))
		}
		if in := searchField.Find(body); in != nil && !strings.Contains(path, "?") {
			if name := fieldName.FindSubmatch(in); name != nil {
				for _, text := range []string{"ada", "grace.hopper.4711@example.com", "nobody at all"} {
					more = append(more, path+"?"+string(name[1])+"="+strings.ReplaceAll(text, " ", "+"))
				}
			}
		}
		for _, to := range more {
			route := routeOf(to)
			if seen[to] || strings.Contains(to, "lang=") || routes[route] >= alike && !strings.Contains(to, "nobody") {
				continue
			}
			seen[to] = true
			routes[route]++
			waiting = append(waiting, to)
		}
	}
	slices.Sort(paths)
	if len(paths) == 0 {
		return nil, errors.New("the console has no pages")
	}
	return paths, nil
}

// routeOf is a path without what tells one thing from another.
func routeOf(path string) string {
	path, query, _ := strings.Cut(path, "?")
	steps := strings.Split(path, "/")
	for i, s := range steps {
		if apart.MatchString(s) && s != "sign-in-experience" || i > 3 && steps[3] == "templates" || strings.HasPrefix(s, "management-api-") { // of the mails; the scopes
			steps[i] = "*"
		}
	}
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	return strings.Join(steps, "/") + "?" + strings.Join(names, "&")
}

// measure asks for each page again and again.
func (c *consoleVisit) measure(paths []string, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "page\tp50\tp99\tslowest\tcompressed\t\n")
	late := 0
	for _, path := range paths {
		body, _, err := c.get(path)
		if err != nil {
			return err
		}
		took := make([]time.Duration, consoleRuns)
		for i := range took {
			if _, took[i], err = c.get(path); err != nil {
				return err
			}
		}
		slices.Sort(took)
		p99 := took[consoleRuns*99/100-1]
		remark := ""
		if p99 > consoleTarget {
			remark, late = "LATE", late+1
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f kB\t%s\n", path, ms(took[consoleRuns/2]), ms(p99), ms(took[consoleRuns-1]), float64(compressedSize(body))/1000, remark)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if late > 0 {
		return fmt.Errorf("%d of %d pages take longer than %s", late, len(paths), consoleTarget)
	}
	_, err := fmt.Fprintf(out, "%d pages, each within %s\n", len(paths), consoleTarget)
	return err
}

// compressedSize is what a page weighs on the wire.
func compressedSize(body []byte) int {
	var n counter
	z := gzip.NewWriter(&n)
	_, _ = z.Write(body)
	_ = z.Close()
	return int(n)
}

// counter counts what is written.
type counter int

// Write implements [io.Writer].
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
