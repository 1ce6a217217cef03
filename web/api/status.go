package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// status tells everybody that the API is there, and nothing else: whether the database
// answers is told at /readyz.
func (a *API) status() {
	huma.Register(a.huma, huma.Operation{
		Method: http.MethodGet, Path: "/status", OperationID: "GetStatus", Summary: "Tell whether the API is there", Tags: []string{"status"},
		DefaultStatus: http.StatusNoContent, Security: []map[string][]string{}, RejectUnknownQueryParameters: true, Errors: []int{http.StatusBadRequest},
	}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
}
