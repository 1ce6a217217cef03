package account

import (
	"net/http"
	"time"

	"idp/web/page"
)

// PreviewAccount shows the account page of nobody in particular, with an experience that is
// not saved.
func (p *Pages) PreviewAccount(w http.ResponseWriter, shown page.Preview) error {
	look := page.PreviewLook(shown, p.files)
	page.ProtectPreview(w, look)
	lang := p.languages.Find(shown.Language)
	if lang == nil {
		lang = p.languages.Find(shown.Experience.Language.Fallback)
	}
	if lang == nil {
		lang = p.languages.All()[0]
	}
	now := shown.Now
	data := &view{
		Frame: page.Of(p.host, look), Email: "ada@example.com", Name: "Ada Lovelace", Since: now.AddDate(-1, 0, 0),
		Sessions: []row{
			{Browser: "Firefox", System: "Windows", SignedIn: now, Here: true},
			{N: 1, Browser: "Safari", System: "iPhone", SignedIn: now.Add(-50 * time.Hour), Used: now.Add(-3 * time.Hour)},
		},
	}
	data.Languages = page.Languages(p.languages, lang, accountPath)
	return p.templates.Render(w, http.StatusOK, lang, "account", data)
}
