package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"idp/store"
)

// signInExperience is the experience as Logto shows it. What belongs to ways of signing in
// that do not exist here is always the same, and so says that they are off.
type signInExperience struct {
	TenantID        string        `json:"tenantId" enum:"default"`
	ID              string        `json:"id" enum:"default"`
	Color           colors        `json:"color"`
	Branding        branding      `json:"branding"`
	HideBranding    bool          `json:"hideLogtoBranding"`
	LanguageInfo    languageInfo  `json:"languageInfo"`
	TermsOfUseURL   *string       `json:"termsOfUseUrl"`
	PrivacyURL      *string       `json:"privacyPolicyUrl"`
	AgreeToTerms    string        `json:"agreeToTermsPolicy" enum:"Automatic,ManualRegistrationOnly,Manual"`
	SignInMode      string        `json:"signInMode" enum:"SignIn,Register,SignInAndRegister"`
	CustomCSS       *string       `json:"customCss"`
	CodePolicy      codePolicy    `json:"verificationCodePolicy"`
	AddressPolicy   addressPolicy `json:"emailBlocklistPolicy"`
	UnknownSession  *string       `json:"unknownSessionRedirectUrl"`
	SupportEmail    *string       `json:"supportEmail"`
	SupportURL      *string       `json:"supportWebsiteUrl"`
	SignIn          any           `json:"signIn"`
	SignUp          any           `json:"signUp"`
	SocialSignIn    any           `json:"socialSignIn"`
	SocialTargets   any           `json:"socialSignInConnectorTargets"`
	CustomContent   any           `json:"customContent"`
	CustomUIAssets  any           `json:"customUiAssets"`
	CustomUICSP     any           `json:"customUiCsp"`
	PasswordPolicy  any           `json:"passwordPolicy"`
	MFA             any           `json:"mfa"`
	AdaptiveMFA     any           `json:"adaptiveMfa"`
	SingleSignOn    any           `json:"singleSignOnEnabled"`
	CaptchaPolicy   any           `json:"captchaPolicy"`
	SentinelPolicy  any           `json:"sentinelPolicy"`
	ForgotPassword  any           `json:"forgotPasswordMethods"`
	PasskeySignIn   any           `json:"passkeySignIn"`
	ProfileFields   any           `json:"signUpProfileFields"`
	PasswordExpires any           `json:"passwordExpiration"`
	UsernamePolicy  any           `json:"usernamePolicy"`
}

type colors struct {
	Primary     string `json:"primaryColor" maxLength:"7" doc:"#rrggbb"`
	Dark        bool   `json:"isDarkModeEnabled" doc:"false: pages are light, whatever the browser prefers"`
	DarkPrimary string `json:"darkPrimaryColor" maxLength:"7" doc:"#rrggbb, of dark pages"`
}

type branding struct {
	LogoURL     string `json:"logoUrl,omitempty" maxLength:"2048"`
	DarkLogoURL string `json:"darkLogoUrl,omitempty" maxLength:"2048"`
	Favicon     string `json:"favicon,omitempty" maxLength:"2048"`
	DarkFavicon string `json:"darkFavicon,omitempty" maxLength:"2048"`
}

type languageInfo struct {
	AutoDetect bool   `json:"autoDetect" doc:"Take the language that the browser asks for"`
	Fallback   string `json:"fallbackLanguage" maxLength:"35"`
}

type codePolicy struct {
	Seconds int `json:"expirationDuration,omitempty" minimum:"60" maximum:"3600" doc:"Seconds that a code is right for: whole minutes, and no more than the instance was started with"`
	Tries   int `json:"maxRetryAttempts,omitempty" minimum:"1" maximum:"100" doc:"Wrong codes until a new sign-in is needed; no more than the instance was started with"`
}

type addressPolicy struct {
	BlockDisposable    bool     `json:"blockDisposableAddresses,omitempty"`
	BlockSubaddressing bool     `json:"blockSubaddressing,omitempty" doc:"Refuse addresses with a plus"`
	Block              []string `json:"customBlocklist,omitempty" maxItems:"2000" nullable:"false" doc:"ada@example.com, @example.com, ada*@example.com, @*.example.com"`
	Allow              []string `json:"customAllowlist,omitempty" maxItems:"2000" nullable:"false" doc:"If there is any entry, only what an entry means can register"`
}

type oneExperience struct {
	ETag string `header:"ETag"`
	Body signInExperience
}

// patchExperience is what can be sent. Fields of ways of signing in that do not exist here
// are taken only as they are shown, so that what was read can be sent back.
type patchExperience struct {
	TenantID       *string        `json:"tenantId,omitempty" enum:"default"`
	ID             *string        `json:"id,omitempty" enum:"default"`
	Color          *colors        `json:"color,omitempty"`
	Branding       *branding      `json:"branding,omitempty"`
	HideBranding   *bool          `json:"hideLogtoBranding,omitempty"`
	LanguageInfo   *languageInfo  `json:"languageInfo,omitempty"`
	TermsOfUseURL  sent[string]   `json:"termsOfUseUrl,omitempty"`
	PrivacyURL     sent[string]   `json:"privacyPolicyUrl,omitempty"`
	AgreeToTerms   *string        `json:"agreeToTermsPolicy,omitempty" enum:"Automatic,ManualRegistrationOnly,Manual"`
	SignInMode     *string        `json:"signInMode,omitempty" enum:"SignIn,Register,SignInAndRegister"`
	CustomCSS      sent[string]   `json:"customCss,omitempty"`
	CodePolicy     *codePolicy    `json:"verificationCodePolicy,omitempty"`
	AddressPolicy  *addressPolicy `json:"emailBlocklistPolicy,omitempty"`
	UnknownSession sent[string]   `json:"unknownSessionRedirectUrl,omitempty"`
	SupportEmail   sent[string]   `json:"supportEmail,omitempty"`
	SupportURL     sent[string]   `json:"supportWebsiteUrl,omitempty"`
	SignIn         *signInMethods `json:"signIn,omitempty"`
	SignUp         *signUpMethods `json:"signUp,omitempty"`

	SocialSignIn    any `json:"socialSignIn,omitempty"`
	SocialTargets   any `json:"socialSignInConnectorTargets,omitempty"`
	CustomContent   any `json:"customContent,omitempty"`
	CustomUIAssets  any `json:"customUiAssets,omitempty"`
	CustomUICSP     any `json:"customUiCsp,omitempty"`
	PasswordPolicy  any `json:"passwordPolicy,omitempty"`
	MFA             any `json:"mfa,omitempty"`
	AdaptiveMFA     any `json:"adaptiveMfa,omitempty"`
	SingleSignOn    any `json:"singleSignOnEnabled,omitempty"`
	CaptchaPolicy   any `json:"captchaPolicy,omitempty"`
	SentinelPolicy  any `json:"sentinelPolicy,omitempty"`
	ForgotPassword  any `json:"forgotPasswordMethods,omitempty"`
	PasskeySignIn   any `json:"passkeySignIn,omitempty"`
	ProfileFields   any `json:"signUpProfileFields,omitempty"`
	PasswordExpires any `json:"passwordExpiration,omitempty"`
	UsernamePolicy  any `json:"usernamePolicy,omitempty"`
}

type signInMethods struct {
	Methods []struct {
		Identifier       string `json:"identifier" enum:"email,phone,username"`
		Password         bool   `json:"password,omitempty"`
		VerificationCode bool   `json:"verificationCode,omitempty"`
		PasswordPrimary  bool   `json:"isPasswordPrimary,omitempty"`
	} `json:"methods" minItems:"1" maxItems:"3" nullable:"false"`
}

type signUpMethods struct {
	Identifiers []string `json:"identifiers" maxItems:"3" nullable:"false"`
	Password    bool     `json:"password,omitempty"`
	Verify      bool     `json:"verify,omitempty"`
	Secondary   []any    `json:"secondaryIdentifiers,omitempty" maxItems:"3" nullable:"false"`
}

func (a *API) signInExperiences() {
	register(a, operation{http.MethodGet, "/sign-in-exp", "sign-in-exp", "Read the sign-in experience", 0}, a.getExperience)
	register(a, operation{http.MethodPatch, "/sign-in-exp", "sign-in-exp", "Change the sign-in experience", 0}, a.patchExperience)
	a.blocklist()
}

func (a *API) getExperience(ctx context.Context, _ *struct{}) (*oneExperience, error) {
	e, err := a.Admin.Experience(ctx)
	if err != nil {
		return nil, err
	}
	return showExperience(e), nil
}

func (a *API) patchExperience(ctx context.Context, in *struct {
	RemoveDemo string `query:"removeUnusedDemoSocialConnector" maxLength:"5" doc:"Logto's; there are none here"`
	Seen
	Body patchExperience
}) (*oneExperience, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	e, err := a.Admin.UpdateExperience(ctx, actor(ctx), version, func(e *store.Experience) error {
		if err := in.Body.passwordless(); err != nil {
			return err
		}
		in.Body.apply(e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return showExperience(e), nil
}

// apply puts what was sent into an experience.
func (p *patchExperience) apply(e *store.Experience) {
	if c := p.Color; c != nil {
		e.Color = store.Color(*c)
	}
	if b := p.Branding; b != nil {
		e.Branding = store.Branding(*b)
	}
	if p.HideBranding != nil {
		e.HideBranding = *p.HideBranding
	}
	if l := p.LanguageInfo; l != nil {
		e.Language = store.LanguageInfo(*l)
	}
	p.TermsOfUseURL.to(&e.TermsOfUseURL)
	p.PrivacyURL.to(&e.PrivacyPolicyURL)
	if p.AgreeToTerms != nil {
		e.Terms = store.TermsPolicy(*p.AgreeToTerms)
	}
	if p.SignInMode != nil {
		e.Mode = store.SignInMode(*p.SignInMode)
	}
	p.CustomCSS.to(&e.CustomCSS)
	if c := p.CodePolicy; c != nil {
		e.Codes = store.CodePolicy(*c)
	}
	if c := p.AddressPolicy; c != nil {
		e.Addresses = store.AddressPolicy(*c)
	}
	p.UnknownSession.to(&e.UnknownSession)
	p.SupportEmail.to((*string)(&e.SupportEmail))
	p.SupportURL.to(&e.SupportURL)
}

// What is fixed of the experience, by Logto's names and in its order.
var (
	fixedSignIn = json.RawMessage(`{"methods":[{"identifier":"email","password":false,"verificationCode":true,"isPasswordPrimary":false}]}`)
	fixedSignUp = json.RawMessage(`{"identifiers":["email"],"password":false,"verify":true,"secondaryIdentifiers":[]}`)

	fixedSocialSignIn    = json.RawMessage(`{}`)
	fixedSocialTargets   = json.RawMessage(`[]`)
	fixedCustomContent   = json.RawMessage(`{}`)
	fixedCustomUIAssets  = json.RawMessage(`null`)
	fixedCustomUICSP     = json.RawMessage(`{}`)
	fixedPasswordPolicy  = json.RawMessage(`{"length":{"min":8,"max":256},"characterTypes":{"min":1},"rejects":{"pwned":true,"repetitionAndSequence":true,"userInfo":true,"words":[]}}`)
	fixedMFA             = json.RawMessage(`{"factors":[],"policy":"UserControlled"}`)
	fixedAdaptiveMFA     = json.RawMessage(`{}`)
	fixedSingleSignOn    = json.RawMessage(`false`)
	fixedCaptchaPolicy   = json.RawMessage(`{}`)
	fixedSentinelPolicy  = json.RawMessage(`{}`)
	fixedForgotPassword  = json.RawMessage(`[]`)
	fixedPasskeySignIn   = json.RawMessage(`{}`)
	fixedProfileFields   = json.RawMessage(`null`)
	fixedPasswordExpires = json.RawMessage(`{"enabled":false}`)
	fixedUsernamePolicy  = json.RawMessage(`{}`)
)

// passwordless refuses what would turn on what does not exist here. Switches that say off
// in other words are taken.
func (p *patchExperience) passwordless() error {
	if err := p.methods(); err != nil {
		return err
	}
	for _, f := range []struct {
		name   string
		sent   any
		shown  json.RawMessage
		off    []string
		reason string
	}{
		{"socialSignIn", p.SocialSignIn, fixedSocialSignIn, nil, "there is no sign-in with other providers here"},
		{"socialSignInConnectorTargets", p.SocialTargets, fixedSocialTargets, nil, "there is no sign-in with other providers here"},
		{"customContent", p.CustomContent, fixedCustomContent, nil, "pages have no room for it"},
		{"customUiAssets", p.CustomUIAssets, fixedCustomUIAssets, nil, "the pages cannot be replaced"},
		{"customUiCsp", p.CustomUICSP, fixedCustomUICSP, []string{`{"scriptSrc":[],"connectSrc":[]}`}, "the pages run no scripts of others"},
		{"passwordPolicy", p.PasswordPolicy, fixedPasswordPolicy, []string{`{}`}, "there are no passwords here"},
		{"mfa", p.MFA, fixedMFA, []string{`{"factors":[],"policy":"NoPrompt"}`}, "there is no second factor here"},
		{"adaptiveMfa", p.AdaptiveMFA, fixedAdaptiveMFA, []string{`{"enabled":false}`}, "there is no second factor here"},
		{"singleSignOnEnabled", p.SingleSignOn, fixedSingleSignOn, nil, "there is no enterprise sign-in here"},
		{"captchaPolicy", p.CaptchaPolicy, fixedCaptchaPolicy, []string{`{"enabled":false}`}, "there is no captcha here"},
		{"sentinelPolicy", p.SentinelPolicy, fixedSentinelPolicy, nil, "the limits of guesses are set when the instance is started (IDP_LIMIT_…), and nobody is locked out"},
		{"forgotPasswordMethods", p.ForgotPassword, fixedForgotPassword, []string{`["EmailVerificationCode"]`}, "there are no passwords here"},
		{"passkeySignIn", p.PasskeySignIn, fixedPasskeySignIn, []string{`{"enabled":false}`}, "there are no passkeys here"},
		{"signUpProfileFields", p.ProfileFields, fixedProfileFields, []string{`[]`}, "a registration asks for the address only"},
		{"passwordExpiration", p.PasswordExpires, fixedPasswordExpires, []string{`{}`}, "there are no passwords here"},
		{"usernamePolicy", p.UsernamePolicy, fixedUsernamePolicy, nil, "nobody signs in with a user name here"},
	} {
		if f.sent == nil || same(f.sent, f.shown) {
			continue
		}
		isOff := false
		for _, off := range f.off {
			isOff = isOff || same(f.sent, json.RawMessage(off))
		}
		if !isOff {
			return store.InvalidField("update experience", f.name, f.reason+": it is always "+string(f.shown))
		}
	}
	return nil
}

// methods checks signIn and signUp: an address and a code, and nothing else.
func (p *patchExperience) methods() error {
	const op = "update experience"
	if p.SignIn != nil {
		for _, m := range p.SignIn.Methods {
			switch {
			case m.Identifier != "email":
				return store.InvalidField(op, "signIn.methods", "has "+m.Identifier+": people sign in with their email address only")
			case m.Password, m.PasswordPrimary:
				return store.InvalidField(op, "signIn.methods", "turns passwords on: there are none here")
			case !m.VerificationCode:
				return store.InvalidField(op, "signIn.methods", "turns codes off: there is no other way to sign in")
			}
		}
	}
	if u := p.SignUp; u != nil {
		switch {
		case len(u.Identifiers) != 1 || u.Identifiers[0] != "email":
			return store.InvalidField(op, "signUp.identifiers", `is not ["email"]: people register with their email address only`)
		case u.Password:
			return store.InvalidField(op, "signUp.password", "turns passwords on: there are none here")
		case !u.Verify:
			return store.InvalidField(op, "signUp.verify", "is off: an account appears only after its address was verified")
		case len(u.Secondary) > 0:
			return store.InvalidField(op, "signUp.secondaryIdentifiers", "is not empty: people register with their email address only")
		}
	}
	return nil
}

// same tells whether a value that was read from JSON is the value of a text.
func same(value any, text json.RawMessage) bool {
	var other any
	if json.Unmarshal(text, &other) != nil {
		return false
	}
	a, errA := json.Marshal(value)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func showExperience(e store.Experience) *oneExperience {
	return &oneExperience{ETag: etag(e.UpdatedAt), Body: signInExperience{
		TenantID: "default", ID: "default", Color: colors(e.Color), Branding: branding(e.Branding), HideBranding: e.HideBranding,
		LanguageInfo: languageInfo(e.Language), TermsOfUseURL: optional(e.TermsOfUseURL), PrivacyURL: optional(e.PrivacyPolicyURL), AgreeToTerms: string(e.Terms),
		SignInMode: string(e.Mode), CustomCSS: optional(e.CustomCSS), CodePolicy: codePolicy(e.Codes), AddressPolicy: addressPolicy(e.Addresses),
		UnknownSession: optional(e.UnknownSession), SupportEmail: optional(string(e.SupportEmail)), SupportURL: optional(e.SupportURL),
		SignIn: fixedSignIn, SignUp: fixedSignUp, SocialSignIn: fixedSocialSignIn, SocialTargets: fixedSocialTargets,
		CustomContent: fixedCustomContent, CustomUIAssets: fixedCustomUIAssets, CustomUICSP: fixedCustomUICSP, PasswordPolicy: fixedPasswordPolicy,
		MFA: fixedMFA, AdaptiveMFA: fixedAdaptiveMFA, SingleSignOn: fixedSingleSignOn, CaptchaPolicy: fixedCaptchaPolicy, SentinelPolicy: fixedSentinelPolicy,
		ForgotPassword: fixedForgotPassword, PasskeySignIn: fixedPasskeySignIn, ProfileFields: fixedProfileFields, PasswordExpires: fixedPasswordExpires,
		UsernamePolicy: fixedUsernamePolicy,
	}}
}

// optional gives null for "".
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
