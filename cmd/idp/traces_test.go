package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// collected is what came to the collector of one script.
type collected struct {
	mu   sync.Mutex
	text []byte
}

var collectors sync.Map // of scripts: *collected by work folder

// startCollector starts a collector of traces and names it in the environment.
func startCollector(ts *testscript.TestScript, _ bool, _ []string) {
	c := &collected{}
	collectors.Store(ts.Getenv("WORK"), c)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var batch collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &batch) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		text, err := protojson.MarshalOptions{Multiline: false}.Marshal(&batch)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.text = append(append(c.text, text...), '\n')
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	ts.Defer(server.Close)
	ts.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
}

// spans FILE writes what the collector was told, as JSON.
func spans(ts *testscript.TestScript, _ bool, args []string) {
	found, _ := collectors.Load(ts.Getenv("WORK"))
	c, ok := found.(*collected)
	if !ok {
		ts.Fatalf("no collector was started")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), c.text, 0o600))
}
