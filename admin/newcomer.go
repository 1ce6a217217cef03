package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"idp/store"
)

// userIDSize is the length of the ids of people, which is Logto's.
const userIDSize = 12

// Bounds of what is kept of a person.
const (
	maxCustomData = 64 << 10
	maxRoles      = 100
)

var (
	userIDForm   = regexp.MustCompile(`^[0-9A-Za-z]{12}$`)
	usernameForm = regexp.MustCompile(`^[A-Za-z_][0-9A-Za-z_]{0,127}$`) // Logto's
)

// checkNewcomer says which field of a person cannot be kept; nil: none.
func checkNewcomer(now time.Time, n Newcomer) *store.FieldError {
	refuse := func(field, reason string) *store.FieldError { return &store.FieldError{Field: field, Reason: reason} }
	switch {
	case n.Email == "":
		return refuse("email", "is missing")
	case n.ID != "" && !userIDForm.MatchString(n.ID):
		return refuse("id", "is not 12 characters of 0-9, A-Z, a-z")
	case n.Username != "" && !usernameForm.MatchString(n.Username):
		return refuse("username", "is not made of letters of ASCII, digits and _, the first no digit, 128 at most")
	case n.CreatedAt.After(now.Add(time.Minute)):
		return refuse("createdAt", "is in the future")
	case !n.CreatedAt.IsZero() && n.CreatedAt.Unix() < 0:
		return refuse("createdAt", "is before 1970")
	case len(n.CustomData) > maxCustomData:
		return refuse("customData", fmt.Sprintf("is longer than %d bytes", maxCustomData))
	case len(n.CustomData) > 0 && !isObject(n.CustomData):
		return refuse("customData", "is no JSON object")
	case len(n.Roles) > maxRoles:
		return refuse("roles", fmt.Sprintf("are more than %d", maxRoles))
	}
	if err := checkText("", "name", n.Name, 0, 128); err != nil {
		return fieldOf(err)
	}
	if err := checkPicture(n.Avatar); err != "" {
		return refuse("avatar", err)
	}
	return checkProfile(n.Profile)
}

// isObject tells whether a JSON text is an object.
func isObject(text json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) && json.Valid(text)
}

// checkPicture says what is wrong with the URL of a picture.
func checkPicture(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case len(text) > 2048:
		return "is longer than 2048 bytes"
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil:
		return "is no http or https URL"
	}
	return ""
}

func checkProfile(p store.Profile) *store.FieldError {
	texts := []struct{ field, text string }{
		{"familyName", p.FamilyName}, {"givenName", p.GivenName}, {"middleName", p.MiddleName}, {"nickname", p.Nickname},
		{"preferredUsername", p.PreferredUsername}, {"profile", p.Profile}, {"website", p.Website}, {"gender", p.Gender},
		{"birthdate", p.Birthdate}, {"zoneinfo", p.Zoneinfo}, {"locale", p.Locale},
	}
	for _, t := range texts {
		if err := checkText("", "profile."+t.field, t.text, 0, 256); err != nil {
			return fieldOf(err)
		}
	}
	if p.Address == nil {
		return nil
	}
	a := *p.Address
	for _, t := range []struct{ field, text string }{{"formatted", a.Formatted}, {"streetAddress", a.StreetAddress}, {"locality", a.Locality},
		{"region", a.Region}, {"postalCode", a.PostalCode}, {"country", a.Country}} {
		switch {
		case len(t.text) > 1024:
			return &store.FieldError{Field: "profile.address." + t.field, Reason: "is longer than 1024 bytes"}
		case bytes.ContainsRune([]byte(t.text), 0):
			return &store.FieldError{Field: "profile.address." + t.field, Reason: "has a control character (U+0000)"}
		}
	}
	return nil
}

func fieldOf(err error) *store.FieldError {
	var field *store.FieldError
	errors.As(err, &field)
	return field
}
