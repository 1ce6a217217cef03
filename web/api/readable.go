package api

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// readable refuses what no name and no id of ours can hold, and a database would stumble
// over: bytes in path or query that are no UTF-8, and control characters. It refuses "page=",
// too, which the library takes for no page at all, and "page=1&page=2", of which it takes one.
func (a *API) readable(ctx huma.Context, next func(huma.Context)) {
	r, _ := humachi.Unwrap(ctx)
	var bad []problemField
	if !isText(r.URL.Path) {
		bad = append(bad, problemField{"path", "is no text"})
	}
	for name, values := range r.URL.Query() {
		for _, v := range values {
			if !isText(v) || !isText(name) {
				bad = append(bad, problemField{"query." + strings.ToValidUTF8(name, "?"), "is no text"})
			}
		}
	}
	for _, p := range ctx.Operation().Parameters {
		if p.In == "query" && slices.Contains(r.URL.Query()[p.Name], "") && !mayBeEmpty(p.Schema) {
			bad = append(bad, problemField{"query." + p.Name, "is empty"})
		}
		if p.In == "query" && p.Schema.Type != huma.TypeArray && len(r.URL.Query()[p.Name]) > 1 {
			bad = append(bad, problemField{"query." + p.Name, "is there twice"})
		}
	}
	if len(bad) > 0 {
		a.write(ctx, &problem{status: http.StatusBadRequest, Code: "guard.invalid_input", Message: "What was sent in path or query cannot be read.", Data: bad})
		return
	}
	next(ctx)
}

// mayBeEmpty tells whether a parameter can have no text.
func mayBeEmpty(s *huma.Schema) bool {
	if s.Items != nil {
		s = s.Items
	}
	return s.Type == huma.TypeString && (len(s.Enum) == 0 || slices.Contains(s.Enum, any("")))
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }
