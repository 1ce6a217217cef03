package api

import (
	"context"
	"net/http"

	"idp/store"
)

// emailTemplate is a mail that the operator words, as Logto shows it.
type emailTemplate struct {
	TenantID     string          `json:"tenantId" doc:"Always default"`
	ID           string          `json:"id"`
	LanguageTag  string          `json:"languageTag"`
	TemplateType string          `json:"templateType"`
	Details      templateDetails `json:"details"`
	CreatedAt    int64           `json:"createdAt" doc:"Milliseconds since 1970"`
}

type newTemplate struct {
	LanguageTag  string          `json:"languageTag" maxLength:"35"`
	TemplateType string          `json:"templateType" maxLength:"64"`
	Details      templateDetails `json:"details"`
}

type templateDetails struct {
	Subject     string `json:"subject" maxLength:"200" doc:"{{code}}, {{application.name}} and so on are filled in, here and in the content"`
	Content     string `json:"content" maxLength:"262144"`
	ContentType string `json:"contentType,omitempty" enum:"text/html,text/plain" default:"text/html"`
	ReplyTo     string `json:"replyTo,omitempty" maxLength:"400" doc:"Where answers go"`
	SendFrom    string `json:"sendFrom,omitempty" maxLength:"400" doc:"The sender, in the place of the connector's: Name <a@b>"`
}

// TemplateFilter chooses templates; it is exported for the document's maker.
type TemplateFilter struct {
	LanguageTag  string `query:"languageTag" maxLength:"35" doc:"Only those in this language"`
	TemplateType string `query:"templateType" enum:"SignIn,Register,ForgotPassword,OrganizationInvitation,Generic,UserPermissionValidation,BindNewIdentifier,MfaVerification,BindMfa,Recovered,NoAccount" doc:"Only those for this mail"`
}

type oneTemplate struct {
	ETag string `header:"ETag"`
	Body emailTemplate
}

type manyTemplates struct{ Body []emailTemplate }

func (a *API) emailTemplates() {
	const noun = "email-templates"
	register(a, operation{http.MethodGet, "/email-templates", noun, "List the mails that are worded here", 0}, a.listTemplates)
	register(a, operation{http.MethodPut, "/email-templates", noun, "Word mails, all or none", 0}, a.putTemplates)
	register(a, operation{http.MethodDelete, "/email-templates", noun, "Delete the wordings of a mail or a language", 0}, a.deleteTemplates)
	register(a, operation{http.MethodGet, "/email-templates/{id}", noun, "Read the wording of a mail", 0}, a.getTemplate)
	register(a, operation{http.MethodDelete, "/email-templates/{id}", noun, "Delete the wording of a mail", http.StatusNoContent}, a.deleteTemplate)
	register(a, operation{http.MethodPatch, "/email-templates/{id}/details", noun, "Change the wording of a mail", 0}, a.patchTemplate)
}

func (a *API) listTemplates(ctx context.Context, in *struct{ TemplateFilter }) (*manyTemplates, error) {
	found, err := a.Admin.MailTemplates(ctx, store.Usage(in.TemplateType), in.LanguageTag)
	if err != nil {
		return nil, err
	}
	return showTemplates(found), nil
}

func (a *API) putTemplates(ctx context.Context, in *struct {
	Body struct {
		Templates []newTemplate `json:"templates" minItems:"1" maxItems:"200" nullable:"false"`
	}
}) (*manyTemplates, error) {
	var templates []store.MailTemplate
	for _, t := range in.Body.Templates {
		d := t.Details
		templates = append(templates, store.MailTemplate{Usage: store.Usage(t.TemplateType), Locale: t.LanguageTag,
			Subject: d.Subject, Content: d.Content, ContentType: d.ContentType, ReplyTo: d.ReplyTo, SendFrom: d.SendFrom})
	}
	stored, err := a.Admin.SetMailTemplates(ctx, actor(ctx), templates)
	if err != nil {
		return nil, err
	}
	return showTemplates(stored), nil
}

func (a *API) deleteTemplates(ctx context.Context, in *struct{ TemplateFilter }) (*struct {
	Body struct {
		RowCount int `json:"rowCount" doc:"How many there were"`
	}
}, error) {
	n, err := a.Admin.DeleteMailTemplates(ctx, actor(ctx), store.Usage(in.TemplateType), in.LanguageTag)
	if err != nil {
		return nil, err
	}
	out := new(struct {
		Body struct {
			RowCount int `json:"rowCount" doc:"How many there were"`
		}
	})
	out.Body.RowCount = n
	return out, nil
}

func (a *API) getTemplate(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*oneTemplate, error) {
	t, err := a.Admin.MailTemplate(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return showTemplate(t), nil
}

func (a *API) deleteTemplate(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteMailTemplate(ctx, actor(ctx), in.ID, version)
}

func (a *API) patchTemplate(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
	Body struct {
		Subject     *string `json:"subject,omitempty" maxLength:"200"`
		Content     *string `json:"content,omitempty" maxLength:"262144"`
		ContentType *string `json:"contentType,omitempty" enum:"text/html,text/plain"`
		ReplyTo     *string `json:"replyTo,omitempty" maxLength:"400"`
		SendFrom    *string `json:"sendFrom,omitempty" maxLength:"400"`
	}
}) (*oneTemplate, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	t, err := a.Admin.UpdateMailTemplate(ctx, actor(ctx), in.ID, version, func(t *store.MailTemplate) {
		for _, one := range []struct{ from, to *string }{
			{in.Body.Subject, &t.Subject}, {in.Body.Content, &t.Content}, {in.Body.ContentType, &t.ContentType},
			{in.Body.ReplyTo, &t.ReplyTo}, {in.Body.SendFrom, &t.SendFrom},
		} {
			if one.from != nil {
				*one.to = *one.from
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return showTemplate(t), nil
}

func showTemplate(t store.MailTemplate) *oneTemplate {
	return &oneTemplate{ETag: etag(t.UpdatedAt), Body: emailTemplate{TenantID: "default", ID: t.ID, LanguageTag: t.Locale, TemplateType: string(t.Usage),
		Details:   templateDetails{t.Subject, t.Content, t.ContentType, t.ReplyTo, t.SendFrom},
		CreatedAt: t.CreatedAt.UnixMilli()}}
}

func showTemplates(found []store.MailTemplate) *manyTemplates {
	out := &manyTemplates{Body: []emailTemplate{}}
	for _, t := range found {
		out.Body = append(out.Body, showTemplate(t).Body)
	}
	return out
}
