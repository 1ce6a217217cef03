package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestTargetsAreFloorsAndARoundTrip(t *testing.T) {
	t.Parallel()
	r := reference{EmptyHandler: 40, SelectOneClient: 30, SelectOneServer: 20, Signature: 60}
	if design, here := (endpoint{floor: 20}).targets(r); design != 80 || here != 200 {
		t.Errorf("targets %v and %v, want 80 and 200", design, here)
	}
	if design, here := (endpoint{signs: true, static: true}).targets(r); design != 0 || here != 150 {
		t.Errorf("targets %v and %v without a measured floor and without a database, want 0 and 150", design, here)
	}
}

func TestEachUserAsksForTheirOwnGrants(t *testing.T) {
	t.Parallel()
	grants := make([]*grant, 10)
	for i := range grants {
		grants[i] = &grant{}
	}
	var mu sync.Mutex
	asked := map[*grant]map[*http.Client]int{}
	e := endpoint{ask: func(g *grant, _ context.Context, c *http.Client) error {
		mu.Lock()
		defer mu.Unlock()
		if asked[g] == nil {
			asked[g] = map[*http.Client]int{}
		}
		asked[g][c]++
		return nil
	}}
	const users = 4
	l := e.load(users, grants)
	for i := range users {
		do := l.user(i, nil)
		for range len(grants) {
			if _, err := do(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, g := range grants {
		if len(asked[g]) != 1 {
			t.Errorf("grant %d was asked for by %d users", i, len(asked[g]))
		}
	}
}

func TestRefreshTellsWhetherTheTokenShouldHaveStayed(t *testing.T) {
	t.Parallel()
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"ada","aud":"shop"}`))
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"access_token":"a2","id_token":"h.%s.s","refresh_token":"next of %s"}`, claims, r.FormValue("refresh_token"))
	}))
	t.Cleanup(provider.Close)
	g := grant{app: &app{endpoint: provider.URL, ID: "shop"}, subject: "ada", tokens: tokens{Access: "a1", Refresh: "r1"}}
	if err := g.refresh(t.Context(), provider.Client()); err != nil {
		t.Fatal(err)
	}
	if g.Refresh != "next of r1" || g.Access != "a2" {
		t.Errorf("kept %+v", g.tokens)
	}
	g.app.Secret = "confidential"
	if err := g.refresh(t.Context(), provider.Client()); err == nil {
		t.Error("a confidential client's token was replaced, and nothing was said")
	}
	g.app.Secret, g.subject = "", "eve"
	if err := g.refresh(t.Context(), provider.Client()); err == nil {
		t.Error("tokens of somebody else were taken")
	}
}

func TestPrintEndpoints(t *testing.T) {
	t.Parallel()
	best := endpointRun{PerSecond: 1234, ServerCPU: 60, PostgresCPU: 40, Target: 80, TargetHere: 200, Latency: latency{P50: 1, P99: 2},
		Reference: reference{EmptyHandler: 30, SelectOneServer: 20}}
	r := result{Engine: "postgres", Version: "PostgreSQL 15", Endpoints: []endpointResult{{"userinfo", []endpointRun{best, {}}}}}
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	line := ""
	for l := range strings.Lines(out.String()) {
		if strings.Contains(l, "userinfo") {
			line = strings.Join(strings.Fields(l), " ")
		}
	}
	if want := "userinfo 1234 1.00 2.00 100 80 200 60 2.0 × 30 40 2.0 × 20"; line != want {
		t.Errorf("printed %q, want %q", line, want)
	}
}
