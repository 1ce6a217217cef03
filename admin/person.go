package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"idp/store"
	"idp/store/address"
)

// Bounds of what is kept of a person; those of name, username and avatar are Logto's.
const (
	maxName       = 128
	maxAvatar     = 2048
	maxClaim      = 256 // characters of one that is in each ID token
	maxAddress    = 1024
	maxCustomData = 64 << 10
	maxDepth      = 100 // of custom data: JSON readers of apps give up at some hundreds
)

var (
	userIDForm   = regexp.MustCompile(`^[0-9A-Za-z]{12}$`)
	usernameForm = regexp.MustCompile(`^[A-Za-z_][0-9A-Za-z_]{0,127}$`)
)

// ParseEmail reads an address into its canonical form. The error is [store.Invalid] and
// names the field.
func ParseEmail(op, field, text string) (store.Email, error) {
	email, err := address.Parse(text)
	if err != nil {
		return "", store.InvalidField(op, field, "is no address that mail can go to")
	}
	return email, nil
}

// CheckUser checks what is to be kept of a person. The error is [store.Invalid] and names
// the field.
func CheckUser(op string, u store.User) error {
	switch {
	case !userIDForm.MatchString(u.ID):
		return store.InvalidField(op, "id", "is not 12 characters of 0-9, A-Z, a-z")
	case u.Email == "":
		return store.InvalidField(op, "primaryEmail", "is missing: people sign in with a code that is mailed to them")
	case u.Username != "" && !usernameForm.MatchString(u.Username):
		return store.InvalidField(op, "username", "is not made of letters of ASCII, digits and _, the first no digit, 128 at most")
	case len(u.CustomData) > maxCustomData:
		return store.InvalidField(op, "customData", fmt.Sprintf("is longer than %d bytes", maxCustomData))
	case len(u.CustomData) > 0 && !isObject(u.CustomData):
		return store.InvalidField(op, "customData", "is no JSON object")
	case depthOf(u.CustomData) > maxDepth:
		return store.InvalidField(op, "customData", fmt.Sprintf("has more than %d lists and objects inside of one another", maxDepth))
	}
	if err := checkText(op, "name", u.Name, 0, maxName); err != nil {
		return err
	}
	if err := checkPicture(op, u.Avatar); err != nil {
		return err
	}
	return checkProfile(op, u.Profile)
}

// isObject tells whether a JSON text is an object.
func isObject(text json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) && utf8.Valid(text) && json.Valid(text)
}

// depthOf tells how many lists and objects of a JSON text are inside of one another.
func depthOf(text json.RawMessage) (deepest int) {
	depth, inText, escaped := 0, false, false
	for _, c := range text {
		switch {
		case inText:
			inText = escaped || c != '"'
			escaped = !escaped && c == '\\'
		case c == '"':
			inText = true
		case c == '{', c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest
}

// checkPicture checks the URL of a picture, which apps load.
func checkPicture(op, text string) error {
	if text == "" {
		return nil
	}
	if err := checkText(op, "avatar", text, 0, maxAvatar); err != nil {
		return err
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return store.InvalidField(op, "avatar", "is no http or https URL")
	}
	return nil
}

func checkProfile(op string, p store.Profile) error {
	for _, t := range []struct{ field, text string }{
		{"familyName", p.FamilyName}, {"givenName", p.GivenName}, {"middleName", p.MiddleName}, {"nickname", p.Nickname},
		{"preferredUsername", p.PreferredUsername}, {"profile", p.Profile}, {"website", p.Website}, {"gender", p.Gender},
		{"birthdate", p.Birthdate}, {"zoneinfo", p.Zoneinfo}, {"locale", p.Locale},
	} {
		if err := checkText(op, "profile."+t.field, t.text, 0, maxClaim); err != nil {
			return err
		}
		// Apps make links of these. People write them without a scheme, too; a script is another matter.
		link := t.field == "profile" || t.field == "website"
		if scheme, _, found := strings.Cut(t.text, ":"); link && found && !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
			return store.InvalidField(op, "profile."+t.field, "is no http or https URL")
		}
	}
	if p.Address == nil {
		return nil
	}
	a := *p.Address
	for _, t := range []struct{ field, text string }{
		{"formatted", a.Formatted}, {"streetAddress", a.StreetAddress}, {"locality", a.Locality},
		{"region", a.Region}, {"postalCode", a.PostalCode}, {"country", a.Country},
	} {
		switch field := "profile.address." + t.field; {
		case len(t.text) > maxAddress:
			return store.InvalidField(op, field, fmt.Sprintf("is longer than %d bytes", maxAddress))
		case !utf8.ValidString(t.text):
			return store.InvalidField(op, field, "is no UTF-8")
		case strings.ContainsRune(t.text, 0):
			return store.InvalidField(op, field, "has a control character (U+0000)")
		}
	}
	return nil
}

// personSeen is what the audit log tells of a person, sealed.
func personSeen(u store.User) any {
	return struct {
		Email      store.Email     `json:"primaryEmail"`
		Name       string          `json:"name,omitempty"`
		Username   string          `json:"username,omitempty"`
		Avatar     string          `json:"avatar,omitempty"`
		Profile    store.Profile   `json:"profile,omitzero"`
		CustomData json.RawMessage `json:"customData,omitempty"`
	}{u.Email, u.Name, u.Username, u.Avatar, u.Profile, u.CustomData}
}
