package api_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"idp/web/api"
)

// operations are those of the document, by method and path.
func operations(document *huma.OpenAPI) map[string]*huma.Operation {
	found := map[string]*huma.Operation{}
	for path, item := range document.Paths {
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
		} {
			if op != nil {
				found[method+" "+path] = op
			}
		}
	}
	return found
}

// conforms checks that an answer is one of those that the document names for the call, and
// that its body is as it says. Each call of each test comes through here.
func (f *fixture) conforms(method, path string, got answer) {
	f.Helper()
	path, _, _ = strings.Cut(strings.TrimPrefix(path, api.Path), "?")
	route, op := f.operation(method, path)
	if op == nil {
		return // no such path: the router's answer
	}
	response := op.Responses[strconv.Itoa(got.status)]
	if response == nil {
		f.Errorf("%s answers %d, which the document does not name: %s", route, got.status, got.text)
		return
	}
	if got.text == "" {
		if len(response.Content) > 0 {
			f.Errorf("%s answers %d without a body", route, got.status)
		}
		return
	}
	content := response.Content["application/json"]
	if content == nil || content.Schema == nil {
		f.Errorf("%s answers %d with a body, which the document does not have: %s", route, got.status, got.text)
		return
	}
	var wrong huma.ValidateResult
	huma.Validate(f.document.Components.Schemas, content.Schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, got.body, &wrong)
	for _, err := range wrong.Errors {
		f.Errorf("%s answers %d with a body that is not as the document says: %v\n%s", route, got.status, err, got.text)
	}
}

// operation finds the operation of a call. A path without parameters comes first.
func (f *fixture) operation(method, path string) (string, *huma.Operation) {
	all := operations(f.document)
	routes := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	parts := strings.Split(path, "/")
	for _, route := range routes {
		m, template, _ := strings.Cut(route, " ")
		wanted := strings.Split(template, "/")
		if m != method || len(wanted) != len(parts) {
			continue
		}
		fits := true
		for i, part := range wanted {
			fits = fits && (part == parts[i] || strings.HasPrefix(part, "{") && parts[i] != "")
		}
		if fits {
			return route, all[route]
		}
	}
	return "", nil
}

// The document has what the router has, and nothing else.
func TestDocumentHasAllRoutes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	routes := map[string]bool{}
	f.must(chi.Walk(f.router, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if path := strings.TrimPrefix(route, api.Path); path != "/swagger.json" && strings.Trim(path, "/*") != "" {
			routes[method+" "+path] = true
		}
		return nil
	}))
	documented := operations(f.document)
	for route := range routes {
		if documented[route] == nil {
			t.Errorf("%s is not in the document", route)
		}
	}
	ids := map[string]string{}
	for route, op := range documented {
		if !routes[route] {
			t.Errorf("%s is in the document and nowhere else", route)
		}
		if other := ids[op.OperationID]; other != "" || op.OperationID == "" {
			t.Errorf("%s has the operation id %q, as %s", route, op.OperationID, other)
		}
		ids[op.OperationID] = route
		switch {
		case len(op.Tags) != 1 || op.Summary == "":
			t.Errorf("%s has no tag or no summary", route)
		case op.Security == nil:
			t.Errorf("%s does not say whom it lets in", route)
		case len(op.Security) > 0 && op.Responses["401"] == nil, len(op.Security) > 0 && op.Responses["403"] == nil:
			t.Errorf("%s lets everybody in, says its answers", route)
		}
		if len(op.Security) == 0 && !slices.Contains(public, route) {
			t.Errorf("%s is open to everybody", route)
		}
	}
	if len(documented) < 10 {
		t.Errorf("only %d operations", len(documented))
	}
}

// public are the operations that need no token.
var public = []string{"GET /status"}

func TestStatus(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.expect(f.callAs("", "GET", "/api/status", nil), 204)
	f.expect(f.callAs("bad", "GET", "/api/status", nil), 204)
}
