package store

import (
	"slices"
	"time"
)

// Experience is how people register and sign in, and what the pages look like. Its JSON
// form has Logto's names.
type Experience struct {
	Mode             SignInMode    `json:"signInMode"`
	Color            Color         `json:"color"`
	Branding         Branding      `json:"branding"`
	Language         LanguageInfo  `json:"languageInfo"`
	TermsOfUseURL    string        `json:"termsOfUseUrl,omitempty"`
	PrivacyPolicyURL string        `json:"privacyPolicyUrl,omitempty"`
	Terms            TermsPolicy   `json:"agreeToTermsPolicy"`
	CustomCSS        string        `json:"customCss,omitempty"`
	Codes            CodePolicy    `json:"verificationCodePolicy"`
	Addresses        AddressPolicy `json:"emailBlocklistPolicy"`
	UnknownSession   string        `json:"unknownSessionRedirectUrl,omitempty"` // where those are sent whose sign-in nobody knows
	SupportEmail     Email         `json:"supportEmail,omitempty"`
	SupportURL       string        `json:"supportWebsiteUrl,omitempty"`
	HideBranding     bool          `json:"hideLogtoBranding,omitempty"` // kept for who asks; there is no branding of ours
	UpdatedAt        time.Time     `json:"-"`                           // 1970 for one that was never set
}

// SignInMode is what the pages are for.
type SignInMode string

// The modes.
const (
	ModeSignIn   SignInMode = "SignIn"   // nobody can register
	ModeRegister SignInMode = "Register" // nobody can do anything else
	ModeBoth     SignInMode = "SignInAndRegister"
)

// Allows tells whether codes for a purpose can be had.
func (m SignInMode) Allows(p Purpose) bool {
	switch m {
	case ModeSignIn:
		return p != PurposeRegister
	case ModeRegister:
		return p == PurposeRegister
	}
	return true
}

// TermsPolicy is who has to agree to the terms by a tick.
type TermsPolicy string

// The policies.
const (
	TermsAutomatic TermsPolicy = "Automatic"              // nobody: the page says that going on is agreeing
	TermsRegister  TermsPolicy = "ManualRegistrationOnly" // who registers
	TermsManual    TermsPolicy = "Manual"                 // everybody, each time
)

// Color is what buttons and links have, as #rrggbb.
type Color struct {
	Primary     string `json:"primaryColor"`
	Dark        bool   `json:"isDarkModeEnabled"`
	DarkPrimary string `json:"darkPrimaryColor"`
}

// Branding is addresses of pictures.
type Branding struct {
	LogoURL     string `json:"logoUrl,omitempty"`
	DarkLogoURL string `json:"darkLogoUrl,omitempty"`
	Favicon     string `json:"favicon,omitempty"`
	DarkFavicon string `json:"darkFavicon,omitempty"`
}

// LanguageInfo is how the language of a page is chosen where neither the app nor the
// person has.
type LanguageInfo struct {
	AutoDetect bool   `json:"autoDetect"` // by what the browser says
	Fallback   string `json:"fallbackLanguage"`
}

// Languages are those that pages and mails are written in, the fallback first.
var Languages = []string{"en", "de", "es", "fr", "pt-BR", "ja", "zh-CN", "ko", "ar"}

// CodePolicy narrows what the instance was started with; what is 0 is the instance's.
type CodePolicy struct {
	Seconds int `json:"expirationDuration,omitempty"` // that a code is right for
	Tries   int `json:"maxRetryAttempts,omitempty"`   // wrong guesses per challenge
}

// AddressPolicy is which addresses new accounts may have. Entries of the lists are
// addresses, domains ("@example.com"), and either with a * that stands for anything
// ("foo*@example.com", "@*.example.com").
type AddressPolicy struct {
	BlockDisposable    bool     `json:"blockDisposableAddresses,omitempty"`
	BlockSubaddressing bool     `json:"blockSubaddressing,omitempty"` // a plus in the local part
	Block              []string `json:"customBlocklist,omitempty"`
	Allow              []string `json:"customAllowlist,omitempty"` // not empty: nothing else is allowed
}

// DefaultExperience is that of an instance where none was set.
func DefaultExperience() Experience {
	return Experience{
		Mode: ModeBoth, Color: Color{Primary: "#3b4bc8", Dark: true, DarkPrimary: "#97a2ff"},
		Language: LanguageInfo{AutoDetect: true, Fallback: Languages[0]}, Terms: TermsAutomatic,
		UpdatedAt: time.UnixMicro(0).UTC(),
	}
}

// Clone is a copy that shares nothing.
func (e Experience) Clone() Experience {
	e.Addresses.Block, e.Addresses.Allow = slices.Clone(e.Addresses.Block), slices.Clone(e.Addresses.Allow)
	return e
}

// For is the experience with what an app has of its own.
func (e Experience) For(c ClientExperience) Experience {
	own := func(to *string, of string) {
		if of != "" {
			*to = of
		}
	}
	own(&e.TermsOfUseURL, c.TermsOfUseURL)
	own(&e.PrivacyPolicyURL, c.PrivacyPolicyURL)
	own(&e.Color.Primary, c.PrimaryColor)
	own(&e.Color.DarkPrimary, c.DarkPrimaryColor)
	if c.LogoURL != "" { // one that goes with another's dark one would be two apps
		e.Branding.LogoURL, e.Branding.DarkLogoURL = c.LogoURL, ""
	}
	own(&e.Branding.DarkLogoURL, c.DarkLogoURL)
	return e
}

// Title is the name that people are shown.
func (c Client) Title() string {
	if c.Experience.DisplayName != "" {
		return c.Experience.DisplayName
	}
	return c.Name
}
