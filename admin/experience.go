package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"idp/audit"
	"idp/store"
	"idp/store/address"
)

type experienceStore interface {
	FreshExperience(ctx context.Context) (store.Experience, error)
	SetExperience(ctx context.Context, e store.Experience, seen time.Time, told ...store.Event) (time.Time, error)
}

// The bounds of what an experience holds.
const (
	maxURL       = 2048
	maxCustomCSS = 64 << 10
	maxAddresses = 2000 // entries of an address list: each is looked at when somebody registers
)

// Frame is what the instance was started with, which an experience can only narrow.
type Frame struct {
	CodeTTL time.Duration // of a code; 10 minutes if 0
	Tries   int           // wrong guesses per challenge; 5 if 0
	Digits  int           // of a code; 0: it is not known here

	// Limits are those that bound an address. Nil: they are not known here.
	Limits func(of store.Email) []store.Limit
}

// Frame is what the instance was started with.
func (s *Service) Frame() Frame { return s.frame }

// Experience reads the sign-in experience, as it is now.
func (s *Service) Experience(ctx context.Context) (store.Experience, error) {
	return s.store.FreshExperience(ctx)
}

// UpdateExperience changes the sign-in experience by change, which may be called more than
// once. seen is the version that the caller has seen, zero for any.
func (s *Service) UpdateExperience(ctx context.Context, by audit.Actor, seen time.Time, change func(*store.Experience) error) (store.Experience, error) {
	const op = "update experience"
	return edit(op, seen,
		func() (store.Experience, time.Time, error) {
			e, err := s.store.FreshExperience(ctx)
			return e, e.UpdatedAt, err
		},
		func(before store.Experience, version time.Time) (after store.Experience, err error) {
			after = before.Clone()
			if err := change(&after); err != nil {
				return after, err
			}
			if err := s.checkExperience(op, &after); err != nil {
				return after, err
			}
			b, a := before.Branding, after.Branding
			if err := s.fetchPictures(ctx, op, [3]string{"branding.logoUrl", b.LogoURL, a.LogoURL}, [3]string{"branding.darkLogoUrl", b.DarkLogoURL, a.DarkLogoURL},
				[3]string{"branding.favicon", b.Favicon, a.Favicon}, [3]string{"branding.darkFavicon", b.DarkFavicon, a.DarkFavicon}); err != nil {
				return after, err
			}
			entry := s.book.Entry(by, audit.Record{Kind: "experience.updated",
				Detail: audit.Changes(experienceSeen(before), experienceSeen(after)), Personal: audit.Changes(addressesSeen(before), addressesSeen(after))})
			after.UpdatedAt, err = s.store.SetExperience(ctx, after, version, entry)
			return after, err
		})
}

// CheckExperience tells whether an experience can be set, and brings it into the form that it
// is kept in.
func (s *Service) CheckExperience(e *store.Experience) error {
	return s.checkExperience("check experience", e)
}

// checkExperience checks it, and brings addresses and entries of lists into their
// canonical form.
func (s *Service) checkExperience(op string, e *store.Experience) error {
	if !slices.Contains([]store.SignInMode{store.ModeSignIn, store.ModeRegister, store.ModeBoth}, e.Mode) {
		return store.InvalidField(op, "signInMode", "is none of SignIn, Register and SignInAndRegister")
	}
	if !slices.Contains([]store.TermsPolicy{store.TermsAutomatic, store.TermsRegister, store.TermsManual}, e.Terms) {
		return store.InvalidField(op, "agreeToTermsPolicy", "is none of Automatic, ManualRegistrationOnly and Manual")
	}
	if !slices.Contains(store.Languages, e.Language.Fallback) {
		return store.InvalidField(op, "languageInfo.fallbackLanguage", "is none that pages are written in: "+strings.Join(store.Languages, ", "))
	}
	if err := checkColor(op, "color.primaryColor", &e.Color.Primary); err != nil {
		return err
	}
	if err := checkColor(op, "color.darkPrimaryColor", &e.Color.DarkPrimary); err != nil {
		return err
	}
	for _, u := range [...]struct{ field, value string }{
		{"branding.logoUrl", e.Branding.LogoURL}, {"branding.darkLogoUrl", e.Branding.DarkLogoURL},
		{"branding.favicon", e.Branding.Favicon}, {"branding.darkFavicon", e.Branding.DarkFavicon},
		{"termsOfUseUrl", e.TermsOfUseURL}, {"privacyPolicyUrl", e.PrivacyPolicyURL},
		{"unknownSessionRedirectUrl", e.UnknownSession}, {"supportWebsiteUrl", e.SupportURL},
	} {
		if err := checkURL(op, u.field, u.value); err != nil {
			return err
		}
	}
	if e.SupportEmail != "" {
		parsed, err := address.Parse(string(e.SupportEmail))
		if err != nil {
			return store.InvalidField(op, "supportEmail", "is no email address")
		}
		e.SupportEmail = parsed
	}
	if !utf8.ValidString(e.CustomCSS) || len(e.CustomCSS) > maxCustomCSS || strings.ContainsRune(e.CustomCSS, 0) {
		return store.InvalidField(op, "customCss", fmt.Sprintf("is no text of at most %d bytes", maxCustomCSS))
	}
	if err := s.checkCodes(op, e.Codes); err != nil {
		return err
	}
	if err := checkAddresses(op, "emailBlocklistPolicy.customBlocklist", &e.Addresses.Block); err != nil {
		return err
	}
	return checkAddresses(op, "emailBlocklistPolicy.customAllowlist", &e.Addresses.Allow)
}

func (s *Service) checkCodes(op string, c store.CodePolicy) error {
	ttl, tries := s.frame.CodeTTL, s.frame.Tries
	if c.Seconds != 0 && (c.Seconds < 60 || c.Seconds%60 != 0 || time.Duration(c.Seconds)*time.Second > ttl) {
		return store.InvalidField(op, "verificationCodePolicy.expirationDuration", fmt.Sprintf("is no number of whole minutes, in seconds, from 60 to the %d that this instance was started with (IDP_OTP_CODE_TTL)", ttl/time.Second))
	}
	if c.Tries < 0 || c.Tries > tries {
		return store.InvalidField(op, "verificationCodePolicy.maxRetryAttempts", fmt.Sprintf("is not 1 to the %d that this instance was started with (IDP_OTP_TRIES)", tries))
	}
	return nil
}

var color = regexp.MustCompile(`^#(?:[0-9a-f]{3}|[0-9a-f]{6})$`)

// checkColor checks a colour, and makes it #rrggbb.
func checkColor(op, field string, c *string) error {
	text := strings.ToLower(*c)
	if !color.MatchString(text) {
		return store.InvalidField(op, field, "is no colour like #3b4bc8")
	}
	if len(text) == 4 {
		text = "#" + text[1:2] + text[1:2] + text[2:3] + text[2:3] + text[3:] + text[3:]
	}
	*c = text
	return nil
}

// host is a name with or without a port: it becomes part of a Content-Security-Policy, where
// a star would let in more than one host, and brackets mean nothing.
var host = regexp.MustCompile(`^[0-9A-Za-z.-]+(?::[0-9]{1,5})?$`)

// checkURL checks an address that pages have people's browsers go to or load from; ""
// stands for none.
func checkURL(op, field, text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURL || err != nil || strings.ContainsAny(text, "\"'<>\\`{|}^;,") || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return store.InvalidField(op, field, fmt.Sprintf("is no URL of at most %d characters", maxURL))
	case !host.MatchString(u.Host) || u.User != nil:
		return store.InvalidField(op, field, "is no whole URL (https://example.com/…)")
	case u.Scheme != "https" && (u.Scheme != "http" || !store.IsLoopback(u.Hostname())):
		return store.InvalidField(op, field, "is no https URL")
	}
	return nil
}

// AddressPattern reads an entry of a list of addresses into the form that it is kept in.
func AddressPattern(field, text string) (string, error) {
	pattern, err := address.ParsePattern(text)
	if err != nil {
		return "", store.InvalidField("read address pattern", field, "is "+err.Error())
	}
	return pattern, nil
}

func checkAddresses(op, field string, list *[]string) error {
	if len(*list) > maxAddresses {
		return store.InvalidField(op, field, fmt.Sprintf("has %d entries; it may have %d", len(*list), maxAddresses))
	}
	out := make([]string, 0, len(*list))
	for i, text := range *list {
		pattern, err := address.ParsePattern(text)
		if err != nil {
			return store.InvalidField(op, fmt.Sprintf("%s[%d]", field, i), "is "+err.Error())
		}
		if !slices.Contains(out, pattern) {
			out = append(out, pattern)
		}
	}
	*list = out
	return nil
}

// experienceSeen is what the audit log tells of an experience: its lists of addresses are
// personal, and a style sheet is known by its hash.
func experienceSeen(e store.Experience) any {
	if e.CustomCSS != "" {
		sum := sha256.Sum256([]byte(e.CustomCSS))
		e.CustomCSS = fmt.Sprintf("%d bytes, SHA-256 %s", len(e.CustomCSS), hex.EncodeToString(sum[:]))
	}
	e.Addresses.Block, e.Addresses.Allow = nil, nil
	return e
}

func addressesSeen(e store.Experience) any {
	return struct {
		Block []string `json:"customBlocklist"`
		Allow []string `json:"customAllowlist"`
	}{e.Addresses.Block, e.Addresses.Allow}
}
