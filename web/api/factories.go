package api

import (
	"context"
	"net/http"

	"idp/admin"
)

// FactoryFacts is what Logto shows of a connector's kind, also within each connector. It is
// exported for encoding/json, which the document's maker follows.
type FactoryFacts struct {
	Type           string            `json:"type" enum:"Email"`
	Target         string            `json:"target"`
	Name           map[string]string `json:"name" doc:"By language"`
	Description    map[string]string `json:"description" doc:"By language"`
	Logo           string            `json:"logo" doc:"URL"`
	LogoDark       *string           `json:"logoDark"`
	Readme         string            `json:"readme" doc:"Markdown"`
	ConfigTemplate string            `json:"configTemplate" doc:"An example of a configuration, JSON"`
	FormItems      []formItem        `json:"formItems" nullable:"false"`
	Platform       *string           `json:"platform" doc:"Always null: for social connectors"`
}

type factory struct {
	ID string `json:"id"`
	FactoryFacts
}

type formItem struct {
	Key          string `json:"key"`
	Label        string `json:"label"`
	Type         string `json:"type" enum:"Text,MultilineText,Number,Switch,Json"`
	Required     bool   `json:"required,omitempty"`
	Confidential bool   `json:"isConfidential,omitempty"`
	Placeholder  string `json:"placeholder,omitempty"`
	Description  string `json:"description,omitempty"`
}

// envelope is the picture of every kind: a data URL, because those who show it need not
// be able to load anything from here.
const envelope = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%235d34f2' stroke-width='2'%3E" +
	"%3Crect x='3' y='5' width='18' height='14' rx='2'/%3E%3Cpath d='m3 7 9 6 9-6'/%3E%3C/svg%3E"

func (a *API) factories() {
	register(a, operation{http.MethodGet, "/connector-factories", "connectors", "List the kinds of connectors", 0}, a.listFactories)
	register(a, operation{http.MethodGet, "/connector-factories/{id}", "connectors", "Read a kind of connectors", 0}, a.getFactory)
}

func (a *API) listFactories(context.Context, *struct{}) (*struct{ Body []factory }, error) {
	body := []factory{}
	for _, f := range a.Admin.Factories() {
		body = append(body, showFactory(f))
	}
	return &struct{ Body []factory }{body}, nil
}

func (a *API) getFactory(_ context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body factory }, error) {
	f, err := a.Admin.Factory(in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body factory }{showFactory(f)}, nil
}

func showFactory(f admin.Factory) factory { return factory{ID: f.Logto, FactoryFacts: factsOf(f)} }

func factsOf(f admin.Factory) FactoryFacts {
	items := make([]formItem, len(f.Form))
	for i, one := range f.Form {
		items[i] = formItem{one.Key, one.Label, one.Type, one.Required, one.Secret, one.Placeholder, one.Help}
	}
	return FactoryFacts{Type: "Email", Target: f.Logto, Name: map[string]string{"en": f.Name}, Description: map[string]string{"en": f.Description},
		Logo: envelope, Readme: f.Readme, ConfigTemplate: f.Example, FormItems: items}
}
