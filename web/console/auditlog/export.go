package auditlog

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"time"

	"idp/audit"
	"idp/store"
	"idp/web/console/shell"
)

// writeFor is how long a browser may take for the part of a file between two looks.
const (
	writeFor  = time.Minute
	lookEvery = 1000
)

// entry is an entry in a file, as the command idp audit export writes it.
type entry struct {
	ID       string          `json:"id"`
	At       time.Time       `json:"at"`
	Kind     string          `json:"kind"`
	Actor    string          `json:"actor,omitempty"`
	User     string          `json:"user,omitempty"`
	Client   string          `json:"client,omitempty"`
	Target   string          `json:"target,omitempty"`
	Request  string          `json:"request,omitempty"`
	Detail   json.RawMessage `json:"detail,omitempty"`
	Personal json.RawMessage `json:"personal,omitempty"`
	Erased   bool            `json:"erased,omitempty"`
	Batch    int64           `json:"batch,omitempty"`
}

// export is POST /console/audit-log/export. It writes while it reads: an answer that ends
// early has no end that a browser would take for one.
func (p *Pages) export(v *shell.Visit) error {
	f := v.Typed()
	q, ok, err := p.filter(v, &f)
	switch {
	case err != nil:
		return err
	case !ok:
		return &store.Error{Code: store.Invalid, Op: "export logs"}
	}
	asCSV := v.Got("format") != "jsonl"
	name, kind, write := "audit-log.jsonl", "application/jsonl; charset=utf-8", p.lines(v)
	if asCSV {
		name, kind, write = "audit-log.csv", "text/csv; charset=utf-8", p.table(v)
	}
	begun := 0
	err = p.admin.ExportLogs(v.R.Context(), v.By, q, func(e audit.Opened) error {
		if begun == 0 {
			head(v, name, kind)
		}
		if begun%lookEvery == 0 {
			_ = http.NewResponseController(v.W).SetWriteDeadline(time.Now().Add(writeFor)) // a writer without one has none
		}
		begun++
		return write(&e)
	})
	switch {
	case err != nil && begun == 0:
		return err
	case err != nil:
		panic(http.ErrAbortHandler) // so that the file is not taken for a whole one
	case begun == 0:
		head(v, name, kind)
	}
	if asCSV {
		return write(nil)
	}
	return nil
}

func head(v *shell.Visit, name, kind string) {
	h := v.W.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
}

func (p *Pages) lines(v *shell.Visit) func(*audit.Opened) error {
	out := json.NewEncoder(v.W)
	out.SetEscapeHTML(false)
	return func(e *audit.Opened) error {
		return out.Encode(entry{e.ID.String(), e.At.UTC(), e.Kind, e.Actor, e.User, e.Client, e.Target, e.Request, e.Detail, e.Known, e.Erased(), e.Batch})
	}
}

// table writes CSV; nil is the end.
func (p *Pages) table(v *shell.Visit) func(*audit.Opened) error {
	out := csv.NewWriter(v.W)
	begun := false
	return func(e *audit.Opened) error {
		if !begun {
			begun = true
			_ = out.Write([]string{"id", "at", "kind", "actor", "user", "client", "target", "request", "ip", "agent", "email", "detail", "personal", "erased", "batch"}) // Flush tells
		}
		if e == nil {
			out.Flush()
			return out.Error()
		}
		k, erased, batch := knownOf(*e), "", ""
		if e.Erased() {
			erased = "yes"
		}
		if e.Batch > 0 {
			raw, _ := json.Marshal(e.Batch) // a number
			batch = string(raw)
		}
		return out.Write(harmless(e.ID.String(), e.At.UTC().Format(time.RFC3339Nano), e.Kind, e.Actor, e.User, e.Client, e.Target, e.Request, k.IP, k.Agent, k.Email,
			string(e.Detail), string(e.Known), erased, batch))
	}
}

// harmless keeps spreadsheets from taking a text for a formula: what people typed may begin
// like one.
func harmless(cells ...string) []string {
	for i, c := range cells {
		if c != "" && (c[0] == '=' || c[0] == '+' || c[0] == '-' || c[0] == '@' || c[0] == '\t' || c[0] == '\r') {
			cells[i] = "'" + c
		}
	}
	return cells
}
