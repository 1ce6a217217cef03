package experience

import (
	"net/http"
	"net/url"
	"strconv"

	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

const previewPath = "/preview"

// The fields of the preview, which stand in the form of a section and are no settings.
const (
	fieldScreen   = "preview.screen"
	fieldLanguage = "preview.language"
	fieldScheme   = "preview.scheme"
	fieldApp      = "preview.app"
	fieldWidth    = "preview.width"
	fieldLive     = "preview.live" // a script follows what is typed: what cannot be shown is not answered
	fieldSection  = "preview.section"
)

var remembered = []string{fieldScreen, fieldLanguage, fieldScheme, fieldApp, fieldWidth}

// preview is the frame beside a form, and what is to be seen in it.
type preview struct {
	Src                           string // of the frame, as the experience is saved
	PreviewTo                     string // what the form posts to
	Screens, Apps, Schemes, Wides []shell.Option
	Shown                         shell.Form // the fields of the preview
	IsPhone                       bool
	Light, Dark                   contrast // of the colours
}

// contrast is how well a button's text can be read.
type contrast struct {
	Known bool
	White bool   // the text on it
	Ratio string // to 1
}

// maxApps is how many apps the preview can be looked at for: those that were made first.
const maxApps = 50

// first is the screen that shows a section's settings best.
var first = map[string]page.Screen{"addresses": page.ScreenRefused, "terms": page.ScreenRegister, "content": page.ScreenClosed}

func (p *Pages) previewOf(v *shell.Visit, s section, form shell.Form) (preview, error) {
	shown := shell.Form{Values: url.Values{}}
	for _, name := range remembered {
		shown.Values.Set(name, v.Form.Get(name))
	}
	fallback := form.Value("languageInfo.fallbackLanguage")
	for name, value := range map[string]string{fieldScreen: string(first[s.name]), fieldLanguage: fallback, fieldScheme: "light", fieldWidth: "desktop"} {
		if shown.Value(name) == "" {
			shown.Values.Set(name, value)
		}
	}
	if shown.Value(fieldScreen) == "" {
		shown.Values.Set(fieldScreen, string(page.ScreenSignIn))
	}
	apps, _, err := p.admin.Clients(v.R.Context(), store.ClientListing{
		Listing: store.Listing{Limit: maxApps}, Types: []store.ClientType{store.Traditional, store.SPA, store.Native},
	})
	if err != nil {
		return preview{}, err
	}
	data := preview{
		Src: path + previewPath + "?" + shown.Values.Encode(), PreviewTo: path + previewPath, Shown: shown, IsPhone: shown.Value(fieldWidth) == "phone",
		Screens: screens(v), Apps: []shell.Option{{Name: v.T("No app: the account page")}},
		Schemes: []shell.Option{{Value: "light", Name: v.T("Light")}, {Value: "dark", Name: v.T("Dark")}},
		Wides:   []shell.Option{{Value: "desktop", Name: v.T("Desktop")}, {Value: "phone", Name: v.T("Phone")}},
		Light:   contrastOf(form.Value("color.primaryColor")), Dark: contrastOf(form.Value("color.darkPrimaryColor")),
	}
	for _, c := range apps {
		data.Apps = append(data.Apps, shell.Option{Value: c.ID, Name: page.Name(c.Title())})
	}
	if !shown.Values.Has(fieldApp) || shown.Value(fieldApp) == "" && len(v.Form[fieldApp]) == 0 && len(apps) > 0 {
		shown.Values.Set(fieldApp, apps[0].ID)
		data.Src = path + previewPath + "?" + shown.Values.Encode()
	}
	return data, nil
}

func contrastOf(color string) contrast {
	isWhite, ratio, ok := page.Contrast(color)
	return contrast{ok, isWhite, strconv.FormatFloat(ratio, 'f', 1, 64)}
}

func screens(v *shell.Visit) []shell.Option {
	return []shell.Option{
		{Value: string(page.ScreenSignIn), Name: v.T("Sign in")},
		{Value: string(page.ScreenRegister), Name: v.T("Register")},
		{Value: string(page.ScreenCode), Name: v.T("Enter the code")},
		{Value: string(page.ScreenWrong), Name: v.T("A wrong code")},
		{Value: string(page.ScreenRecover), Name: v.T("Recover an account")},
		{Value: string(page.ScreenRefused), Name: v.T("An address that is refused")},
		{Value: string(page.ScreenClosed), Name: v.T("The end without an account")},
		{Value: string(page.ScreenAccount), Name: v.T("Account page")},
	}
}

// kept are the choices of the preview, for the page that comes after a save.
func kept(v *shell.Visit) string {
	values := url.Values{}
	for _, name := range remembered {
		if v.Form.Has(name) {
			values.Set(name, v.Form.Get(name))
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// previewSaved is the GET: the experience as it is.
func (p *Pages) previewSaved(v *shell.Visit) error {
	e, err := p.admin.Experience(v.R.Context())
	if err != nil {
		return err
	}
	return p.render(v, e)
}

// previewTyped is the POST: the experience with what stands in a form, which may be half typed.
func (p *Pages) previewTyped(v *shell.Visit) error {
	e, err := p.admin.Experience(v.R.Context())
	if err != nil {
		return err
	}
	e = e.Clone()
	form := v.Typed()
	for _, s := range sections {
		if s.name != v.Form.Get(fieldSection) {
			continue
		}
		s.tidy(form)
		err = s.apply(form, &e)
	}
	if err == nil {
		err = p.admin.CheckExperience(&e)
	}
	switch {
	case err == nil:
		return p.render(v, e)
	case v.Form.Get(fieldLive) != "": // the frame stays as it is
		v.W.WriteHeader(http.StatusNoContent)
		return nil
	case form.Take(v, err):
		return p.unshown(v, form)
	}
	return err
}

func (p *Pages) render(v *shell.Visit, e store.Experience) error {
	shown := page.Preview{
		Experience: e, Screen: page.Screen(v.Form.Get(fieldScreen)), Language: v.Form.Get(fieldLanguage), Dark: v.Form.Get(fieldScheme) == "dark", Now: p.shell.Store.Now(),
	}
	if shown.Language == "" {
		shown.Language = e.Language.Fallback
	}
	if id := v.Form.Get(fieldApp); id != "" {
		client, err := p.admin.Client(v.R.Context(), id)
		if err != nil && store.CodeOf(err) != store.NotFound { // it may be gone since the form was made
			return err
		}
		shown.Client = client
	}
	if shown.Screen == page.ScreenAccount {
		return p.previews.PreviewAccount(v.W, shown)
	}
	return p.previews.Preview(v.W, v.R, shown)
}

// unshown says in the frame why there is nothing to see in it.
func (p *Pages) unshown(v *shell.Visit, form shell.Form) error {
	h := v.W.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	data := struct {
		shell.Frame
		Reasons []string
	}{Frame: v.Frame(shell.Experience)}
	data.Menu = nil
	for _, s := range sections {
		for _, f := range s.fields {
			if reason := form.Error(f.name); reason != "" {
				data.Reasons = append(data.Reasons, v.T(f.label)+": "+reason)
			}
		}
	}
	return v.Show(http.StatusUnprocessableEntity, p.set, "unshown", &data)
}
