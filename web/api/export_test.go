package api

import (
	"github.com/danielgtaylor/huma/v2"

	"idp/store"
)

// DocumentForTest is the document as it is served.
func (a *API) DocumentForTest() *huma.OpenAPI { return a.huma.OpenAPI() }

// Recursor reads a place in the list of people, and writes it down again.
func Recursor(text string) (string, bool) {
	c, err := parseCursor(text)
	if err != nil {
		return "", false
	}
	return cursor(store.User{ID: c.ID, CreatedAt: c.CreatedAt}), true
}
