package experience

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

// section is a page of settings.
type section struct {
	name, path, title string
	fields            []setting
}

// setting is one of the experience, by the name that the management API has for it.
type setting struct {
	name, label string
	get         func(e *store.Experience) string
	set         func(e *store.Experience, text string) error
	isList      bool // one entry a line
	isTick      bool
}

// text is a setting that is kept as it is typed.
func text[T ~string](name, label string, of func(*store.Experience) *T) setting {
	return setting{
		name: name, label: label,
		get: func(e *store.Experience) string { return string(*of(e)) },
		set: func(e *store.Experience, typed string) error { *of(e) = T(strings.TrimSpace(typed)); return nil },
	}
}

// tick is a setting that is on or off.
func tick(name, label string, of func(*store.Experience) *bool) setting {
	return setting{
		name: name, label: label, isTick: true,
		get: func(e *store.Experience) string {
			if *of(e) {
				return "1"
			}
			return ""
		},
		set: func(e *store.Experience, typed string) error { *of(e) = typed == "1"; return nil },
	}
}

// number is a setting that counts units, and is 0 where nothing is typed.
func number(name, label string, unit int, of func(*store.Experience) *int) setting {
	return setting{
		name: name, label: label,
		get: func(e *store.Experience) string {
			if *of(e) == 0 {
				return ""
			}
			return strconv.Itoa(*of(e) / unit)
		},
		set: func(e *store.Experience, typed string) error {
			typed = strings.TrimSpace(typed)
			if typed == "" {
				*of(e) = 0
				return nil
			}
			const most = 1_000_000 // far more than package admin allows, and no overflow
			n, err := strconv.Atoi(typed)
			if err != nil || n < 1 || n > most {
				return store.InvalidField("read number", name, shell.N("is no whole number from 1 up"))
			}
			*of(e) = n * unit
			return nil
		},
	}
}

// list is a setting with an entry in each line.
func list(name, label string, of func(*store.Experience) *[]string) setting {
	return setting{
		name: name, label: label, isList: true,
		get: func(e *store.Experience) string { return strings.Join(*of(e), "\n") },
		set: func(e *store.Experience, typed string) error {
			*of(e) = nil
			if typed != "" {
				*of(e) = strings.Split(typed, "\n")
			}
			return nil
		},
	}
}

// sections are all of them, in the order of the tabs.
var sections = []section{
	{"branding", "", shell.N("Branding"), []setting{
		text("branding.logoUrl", shell.N("Logo"), func(e *store.Experience) *string { return &e.Branding.LogoURL }),
		text("branding.darkLogoUrl", shell.N("Logo on dark pages"), func(e *store.Experience) *string { return &e.Branding.DarkLogoURL }),
		text("branding.favicon", shell.N("Icon of the browser tab"), func(e *store.Experience) *string { return &e.Branding.Favicon }),
		text("branding.darkFavicon", shell.N("Icon on dark tabs"), func(e *store.Experience) *string { return &e.Branding.DarkFavicon }),
		text("color.primaryColor", shell.N("Colour"), func(e *store.Experience) *string { return &e.Color.Primary }),
		tick("color.isDarkModeEnabled", shell.N("Dark pages"), func(e *store.Experience) *bool { return &e.Color.Dark }),
		text("color.darkPrimaryColor", shell.N("Colour on dark pages"), func(e *store.Experience) *string { return &e.Color.DarkPrimary }),
	}},
	{"methods", "/sign-up-and-sign-in", shell.N("Sign-up and sign-in"), []setting{
		text("signInMode", shell.N("Who the pages are for"), func(e *store.Experience) *store.SignInMode { return &e.Mode }),
		number("verificationCodePolicy.expirationDuration", shell.N("Minutes that a code is good for"), 60, func(e *store.Experience) *int { return &e.Codes.Seconds }),
		number("verificationCodePolicy.maxRetryAttempts", shell.N("Wrong codes until a new start"), 1, func(e *store.Experience) *int { return &e.Codes.Tries }),
	}},
	{"content", "/content", shell.N("Languages and help"), []setting{
		tick("languageInfo.autoDetect", shell.N("Use the language of the browser"), func(e *store.Experience) *bool { return &e.Language.AutoDetect }),
		text("languageInfo.fallbackLanguage", shell.N("Language for everybody else"), func(e *store.Experience) *string { return &e.Language.Fallback }),
		text("supportEmail", shell.N("Address for help"), func(e *store.Experience) *store.Email { return &e.SupportEmail }),
		text("supportWebsiteUrl", shell.N("Page for help"), func(e *store.Experience) *string { return &e.SupportURL }),
		text("unknownSessionRedirectUrl", shell.N("Where lost visitors go"), func(e *store.Experience) *string { return &e.UnknownSession }),
	}},
	{"terms", "/terms", shell.N("Terms"), []setting{
		text("termsOfUseUrl", shell.N("Terms of use"), func(e *store.Experience) *string { return &e.TermsOfUseURL }),
		text("privacyPolicyUrl", shell.N("Privacy policy"), func(e *store.Experience) *string { return &e.PrivacyPolicyURL }),
		text("agreeToTermsPolicy", shell.N("How people agree"), func(e *store.Experience) *store.TermsPolicy { return &e.Terms }),
	}},
	{"css", "/custom-css", shell.N("Custom CSS"), []setting{
		text("customCss", shell.N("Style sheet"), func(e *store.Experience) *string { return &e.CustomCSS }),
	}},
	{"addresses", "/addresses", shell.N("Who may register"), []setting{
		tick("emailBlocklistPolicy.blockDisposableAddresses", shell.N("Refuse disposable addresses"), func(e *store.Experience) *bool { return &e.Addresses.BlockDisposable }),
		tick("emailBlocklistPolicy.blockSubaddressing", shell.N("Refuse addresses with a plus"), func(e *store.Experience) *bool { return &e.Addresses.BlockSubaddressing }),
		list("emailBlocklistPolicy.customBlocklist", shell.N("Refused addresses"), func(e *store.Experience) *[]string { return &e.Addresses.Block }),
		list("emailBlocklistPolicy.customAllowlist", shell.N("Allowed addresses"), func(e *store.Experience) *[]string { return &e.Addresses.Allow }),
	}},
}

// values is what stands in the form of a section.
func (s section) values(e store.Experience) url.Values {
	values := url.Values{}
	for _, f := range s.fields {
		values.Set(f.name, f.get(&e))
	}
	return values
}

// apply puts a form into an experience.
func (s section) apply(form shell.Form, e *store.Experience) error {
	for _, f := range s.fields {
		if err := f.set(e, form.Value(f.name)); err != nil {
			return err
		}
	}
	return nil
}

// tidy leaves the empty lines out of lists, so that the number of a line is that of an entry,
// and notes that what is not sent is off.
func (s section) tidy(form shell.Form) {
	for _, f := range s.fields {
		value := form.Value(f.name)
		if f.isList {
			value = strings.Join(form.Lines(f.name), "\n")
		}
		form.Values.Set(f.name, value)
	}
}

// fingerprint names what a section is, to tell whether somebody else has changed it.
func (s section) fingerprint(e store.Experience) string {
	sum := sha256.Sum256([]byte(s.values(e).Encode()))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (s section) labels(v *shell.Visit) (labels [][2]string) {
	for _, f := range s.fields {
		labels = append(labels, [2]string{f.name, v.T(f.label)})
	}
	return labels
}

// call has what somebody else has changed told in the words of the pages.
func (s section) call(v *shell.Visit, form *shell.Form) {
	for _, f := range s.fields {
		if f.isTick {
			form.Call(f.name, v.Ticks())
		}
	}
	form.Call("signInMode", modes(v))
	form.Call("agreeToTermsPolicy", policies(v))
	form.Call("languageInfo.fallbackLanguage", tongues())
}

// changed are the names of the settings that differ.
func (s section) changed(v *shell.Visit, before, after url.Values) (names []string) {
	for _, f := range s.fields {
		if !slices.Equal(before[f.name], after[f.name]) {
			names = append(names, v.T(f.label))
		}
	}
	return names
}

func modes(v *shell.Visit) []shell.Option {
	return []shell.Option{
		{Value: string(store.ModeBoth), Name: v.T("Everybody"), Hint: v.T("Who has an account signs in, who has none can make one.")},
		{Value: string(store.ModeSignIn), Name: v.T("Members only"), Hint: v.T("Only who has an account gets in. You make accounts, or invite people.")},
		{Value: string(store.ModeRegister), Name: v.T("New people only"), Hint: v.T("The pages make accounts, and nobody can sign in again. Rarely what you want.")},
	}
}

func policies(v *shell.Visit) []shell.Option {
	return []shell.Option{
		{Value: string(store.TermsAutomatic), Name: v.T("By going on"), Hint: v.T("A line under the button says that going on is agreeing.")},
		{Value: string(store.TermsRegister), Name: v.T("By a tick when they register")},
		{Value: string(store.TermsManual), Name: v.T("By a tick each time they sign in")},
	}
}

// names of languages, in themselves.
var names = map[string]string{
	"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "pt-BR": "Português (Brasil)", "ja": "日本語", "zh-CN": "简体中文", "ko": "한국어", "ar": "العربية",
}

func tongues() (options []shell.Option) {
	for _, tag := range store.Languages {
		options = append(options, shell.Option{Value: tag, Name: names[tag]})
	}
	return options
}
