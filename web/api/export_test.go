package api

import "github.com/danielgtaylor/huma/v2"

// DocumentForTest is the document as it is served.
func (a *API) DocumentForTest() *huma.OpenAPI { return a.huma.OpenAPI() }
