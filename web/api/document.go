package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var unspeakable = regexp.MustCompile(`[^A-Za-z]+`)

// operationID names an operation: GetApplicationsId for GET /applications/{id}.
func operationID(o operation) string {
	var b strings.Builder
	for _, part := range unspeakable.Split(o.method[:1]+strings.ToLower(o.method[1:])+" "+o.path, -1) {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// possible are the errors of an operation that the document names.
func possible(o operation) []int {
	out := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
	if strings.Contains(o.path, "{") || o.path == "/one-time-tokens/verify" {
		out = append(out, http.StatusNotFound)
	}
	switch o.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		out = append(out, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	case http.MethodDelete:
		out = append(out, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity)
	}
	if o.noun == "verification-codes" {
		out = append(out, http.StatusTooManyRequests)
	}
	return out
}

// documentPath is where the document is, below Path.
const documentPath = "/swagger.json"

// document is the OpenAPI document. Where the library takes null for what may be left out,
// it says so: else clients would be told that null is refused.
func (a *API) document() ([]byte, error) {
	text, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return nil, err
	}
	var d map[string]any
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, err
	}
	schemas, _ := under(d, "components", "schemas").(map[string]any)
	done := map[string]bool{}
	paths, _ := d["paths"].(map[string]any)
	for _, item := range paths {
		operations, _ := item.(map[string]any)
		for _, op := range operations {
			allowNull(under(op, "requestBody", "content", "application/json", "schema"), schemas, done)
		}
	}
	return json.Marshal(d)
}

func under(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// allowNull lets the properties of a request's body be null that need not be there.
func allowNull(schema any, schemas map[string]any, done map[string]bool) {
	s, ok := schema.(map[string]any)
	if !ok {
		return
	}
	if ref, ok := s["$ref"].(string); ok {
		if name := ref[strings.LastIndexByte(ref, '/')+1:]; !done[name] {
			done[name] = true
			allowNull(schemas[name], schemas, done)
		}
		return
	}
	allowNull(s["items"], schemas, done)
	required, _ := s["required"].([]any)
	properties, _ := s["properties"].(map[string]any)
	for name, property := range properties {
		allowNull(property, schemas, done)
		if !slices.Contains(required, any(name)) {
			properties[name] = nullToo(property)
		}
	}
}

func nullToo(property any) any {
	p, _ := property.(map[string]any)
	if _, ok := p["$ref"]; ok {
		return map[string]any{"anyOf": []any{p, map[string]any{"type": "null"}}}
	}
	if one, ok := p["type"].(string); ok {
		p["type"] = []any{one, "null"}
	}
	if values, ok := p["enum"].([]any); ok && !slices.Contains(values, any(nil)) {
		p["enum"] = append(values, nil)
	}
	return p
}

func (a *API) serveDocument(document func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := document()
		if err != nil {
			plain(w, a.problemOf(r.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // the caller may have gone
	}
}

// plain answers where the library is not reached.
func plain(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(p) // the caller may have gone
}
