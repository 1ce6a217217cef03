package api

import (
	"context"
	"errors"
	"net/http"

	"idp/admin"
	"idp/store"
	"idp/store/address"
)

// connector is a connector as Logto shows it: what is set up, with what it is made from.
type connector struct {
	ID          string             `json:"id"`
	ConnectorID string             `json:"connectorId" doc:"Id of its factory; the same as id"`
	Config      map[string]any     `json:"config" doc:"Secrets are masked: sent back as they are shown, they stay what they are"`
	Metadata    map[string]any     `json:"metadata" doc:"Always empty"`
	SyncProfile bool               `json:"syncProfile" doc:"Always false: for social connectors"`
	StoreTokens bool               `json:"enableTokenStorage" doc:"Always false: for social connectors"`
	FromEmail   string             `json:"fromEmail,omitempty" doc:"The address that it sends from, if it is known"`
	ExtraInfo   connectorSituation `json:"extraInfo"`
	FactoryFacts
}

type connectorSituation struct {
	Position  int    `json:"position" doc:"It is tried after those with a lower one"`
	Problem   string `json:"problem,omitempty" doc:"Why its configuration does not work"`
	UpdatedAt int64  `json:"updatedAt" doc:"Milliseconds since 1970"`

	Warnings []string `json:"warnings,omitempty" nullable:"false" doc:"What is probably not meant in the configuration's templates"`
}

type oneConnector struct {
	ETag string `header:"ETag"`
	Body connector
}

func (a *API) connectors() {
	register(a, operation{http.MethodGet, "/connectors", "connectors", "List connectors, in the order they are tried", 0}, a.listConnectors)
	register(a, operation{http.MethodPost, "/connectors", "connectors", "Set a connector up, or anew; it becomes the first that is tried", 0}, a.createConnector)
	register(a, operation{http.MethodGet, "/connectors/{id}", "connectors", "Read a connector", 0}, a.getConnector)
	register(a, operation{http.MethodPatch, "/connectors/{id}", "connectors", "Change a connector", 0}, a.patchConnector)
	register(a, operation{http.MethodDelete, "/connectors/{id}", "connectors", "Delete a connector", http.StatusNoContent}, a.deleteConnector)
	register(a, operation{http.MethodPost, "/connectors/{factoryId}/test", "connectors", "Send a test mail with a configuration, saved or not", http.StatusNoContent}, a.testConnector)
	a.factories()
	a.deliveries()
	a.suppressions()
}

func (a *API) listConnectors(ctx context.Context, in *struct {
	Target string `query:"target" maxLength:"64" doc:"Only the one with this target"`
}) (*struct{ Body []connector }, error) {
	found, err := a.Admin.Connectors(ctx)
	if err != nil {
		return nil, err
	}
	body := []connector{}
	for _, c := range found {
		if one := a.showConnector(c); in.Target == "" || one.Body.Target == in.Target {
			body = append(body, one.Body)
		}
	}
	return &struct{ Body []connector }{body}, nil
}

func (a *API) createConnector(ctx context.Context, in *struct {
	Body struct {
		ConnectorID string          `json:"connectorId" maxLength:"64" doc:"Id of its factory"`
		Config      *map[string]any `json:"config,omitempty"`
		Metadata    *struct{}       `json:"metadata,omitempty" doc:"For social connectors: nothing can be set"`
		SyncProfile *bool           `json:"syncProfile,omitempty" enum:"false" doc:"For social connectors"`
	}
}) (*oneConnector, error) {
	f, err := a.Admin.Factory(in.Body.ConnectorID)
	if err != nil {
		return nil, &problem{status: http.StatusUnprocessableEntity, Code: "entity.not_found", Message: "There is no such kind of connectors: see " + Path + "/connector-factories.",
			Data: []problemField{{"body.connectorId", "is none of the factories"}}}
	}
	config := map[string]any{}
	if in.Body.Config != nil && *in.Body.Config != nil {
		config = *in.Body.Config
	}
	c, err := a.Admin.SetConnector(ctx, actor(ctx), f.ID, config)
	if err != nil {
		return nil, connectorProblem(err)
	}
	return a.showConnector(c), nil
}

func (a *API) getConnector(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*oneConnector, error) {
	c, err := a.Admin.Connector(ctx, a.connectorID(in.ID))
	if err != nil {
		return nil, err
	}
	return a.showConnector(c), nil
}

func (a *API) patchConnector(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
	Body struct {
		Config      *map[string]any `json:"config,omitempty" doc:"The whole configuration"`
		Metadata    *struct{}       `json:"metadata,omitempty" doc:"For social connectors: nothing can be set"`
		SyncProfile *bool           `json:"syncProfile,omitempty" enum:"false" doc:"For social connectors"`
	}
}) (*oneConnector, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	id := a.connectorID(in.ID)
	if in.Body.Config == nil || *in.Body.Config == nil {
		c, err := a.Admin.Connector(ctx, id)
		if err != nil {
			return nil, err
		}
		return a.showConnector(c), nil
	}
	c, err := a.Admin.UpdateConnector(ctx, actor(ctx), id, version, *in.Body.Config)
	if err != nil {
		return nil, connectorProblem(err)
	}
	return a.showConnector(c), nil
}

func (a *API) deleteConnector(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteConnector(ctx, actor(ctx), a.connectorID(in.ID), version)
}

func (a *API) testConnector(ctx context.Context, in *struct {
	ID   string `path:"factoryId" maxLength:"64"`
	Body struct {
		Email  string          `json:"email" maxLength:"320" doc:"Where the mail goes"`
		Config *map[string]any `json:"config,omitempty" doc:"The configuration to try, in the place of the one that is saved"`
		Locale string          `json:"locale,omitempty" maxLength:"35" pattern:"^[A-Za-z0-9-]*$" doc:"Language of the mail (BCP 47)"`
	}
}) (*struct{}, error) {
	f, err := a.Admin.Factory(in.ID)
	if err != nil {
		return nil, err
	}
	to, err := address.Parse(in.Body.Email)
	if err != nil {
		return nil, &problem{status: http.StatusBadRequest, Code: "guard.invalid_input", Message: "This is no email address.", Data: []problemField{{"body.email", err.Error()}}}
	}
	test := admin.ConnectorTest{To: to, Locale: in.Body.Locale}
	if in.Body.Config != nil {
		test.Config = *in.Body.Config
	}
	_, err = a.Admin.TestConnector(ctx, actor(ctx), f.ID, test)
	return nil, connectorProblem(err)
}

// connectorID is the id by which a connector is kept, by that or by Logto's.
func (a *API) connectorID(id string) string {
	if f, err := a.Admin.Factory(id); err == nil {
		return f.ID
	}
	return id
}

// connectorProblem gives errors of configurations and of providers the codes that Logto has
// for them.
func connectorProblem(err error) error {
	var refused *admin.SendError
	if errors.As(err, &refused) {
		p := &problem{status: http.StatusBadRequest, Code: "connector.invalid_response", Message: refused.Err.Error()}
		if refused.Hint != "" {
			p.Data = []problemField{{"body.config", refused.Hint}}
		}
		return p
	}
	var field *store.FieldError
	if store.CodeOf(err) == store.Invalid && errors.As(err, &field) {
		return &problem{status: http.StatusBadRequest, Code: "connector.invalid_config", Message: "The configuration does not work: " + field.Reason + ".",
			Data: []problemField{{"body." + field.Field, field.Reason}}}
	}
	return err
}

func (a *API) showConnector(c admin.Connector) *oneConnector {
	out := connector{ID: c.ID, ConnectorID: c.ID, Config: c.Config, Metadata: map[string]any{}, FromEmail: c.Address,
		ExtraInfo: connectorSituation{Position: c.Position, Problem: c.Problem, UpdatedAt: c.UpdatedAt.UnixMilli(), Warnings: c.Warnings}}
	f, err := a.Admin.Factory(c.ID)
	if err != nil { // what is set up and not offered any more
		f = admin.Factory{ID: c.ID, Logto: c.ID, Name: c.ID}
	}
	out.ID, out.ConnectorID, out.FactoryFacts = f.Logto, f.Logto, factsOf(f)
	return &oneConnector{ETag: etag(c.UpdatedAt), Body: out}
}
