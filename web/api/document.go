package api

import (
	"encoding/json"
	"net/http"
	"regexp"
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

// plain answers where the library is not reached.
func plain(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(p) // the caller may have gone
}
