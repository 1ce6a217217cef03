package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"idp/admin"
	"idp/store/address"
)

// columns are the fields of a person in the order of the export.
var columns = []string{"id", "email", "name", "username", "avatar", "profile", "customData", "createdAt", "suspended", "roles"}

// aliases are Logto's names.
var aliases = map[string]string{"email": "primaryEmail", "suspended": "isSuspended"}

// passed are fields of Logto's users that mean nothing here: there are no passwords,
// phones or other providers, and the rest is what Logto knows of its own.
var passed = map[string]bool{
	"primaryPhone": true, "identities": true, "ssoIdentities": true, "lastSignInAt": true, "updatedAt": true, "applicationId": true,
	"hasPassword": true, "hasSecurityVerificationMethod": true, "passwordDigest": true, "passwordAlgorithm": true, "passwordEncrypted": true,
	"passwordEncryptionMethod": true, "isPasswordExpired": true, "passwordUpdatedAt": true, "mfaVerificationFactors": true, "mfaVerifications": true,
	"logtoConfig": true, "tenantId": true, "organizations": true, "organizationRoles": true,
}

func known(name string) bool {
	if passed[name] {
		return true
	}
	for _, c := range columns {
		if name == c || aliases[c] == name {
			return true
		}
	}
	return false
}

// fields reads what a record says of a person. A field that is not there, or null, is the
// zero value. name is that of the export; the record may have it under Logto's.
type fields interface {
	text(name string) (string, error)
	object(name string, into any) error
	instant(name string) (time.Time, error)
	truth(name string) (*bool, error)
	list(name string) ([]string, error)
}

// newcomer reads a person.
func newcomer(f fields) (n admin.Newcomer, refused *Refusal) {
	var email string
	note := func(field string, err error) {
		if err != nil && refused == nil {
			refused = &Refusal{Field: field, Reason: err.Error()}
		}
	}
	read := func(field string, into *string) {
		text, err := f.text(field)
		note(field, err)
		*into = strings.TrimSpace(text)
	}
	read("id", &n.ID)
	read("email", &email)
	if email != "" {
		var err error
		if n.Email, err = address.Parse(email); err != nil {
			note("email", errors.New("is no email address"))
		}
	}
	read("name", &n.Name)
	read("username", &n.Username)
	read("avatar", &n.Avatar)
	note("profile", f.object("profile", &n.Profile))
	note("customData", f.object("customData", &n.CustomData))
	var err error
	n.CreatedAt, err = f.instant("createdAt")
	note("createdAt", err)
	n.Suspended, err = f.truth("suspended")
	note("suspended", err)
	n.Roles, err = f.list("roles")
	note("roles", err)
	if email == "" && refused == nil { // nobody without one can sign in
		refused = &Refusal{Field: "email", Reason: "is missing"}
	}
	return n, refused
}

var (
	errObject  = errors.New("is no JSON object")
	errInstant = errors.New("is no time: write it like 2024-12-31T23:59:59Z, or as milliseconds since 1970")
)

// object reads a JSON object strictly into a profile, or as it is.
func object(text []byte, into any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) || !json.Valid(text) {
		return errObject
	}
	if whole, ok := into.(*json.RawMessage); ok {
		*whole = append(json.RawMessage(nil), text...)
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if strings.Contains(err.Error(), "unknown field") {
			return errors.New("has the " + strings.TrimPrefix(err.Error(), "json: ") + ", which no profile has")
		}
		return errors.New("is no object of texts")
	}
	return nil
}

func instant(text string) (time.Time, error) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		if ms < 0 || ms > 1<<45 { // the year 3084
			return time.Time{}, errInstant
		}
		return time.UnixMilli(ms).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 3000 {
		return time.Time{}, errInstant
	}
	return t.UTC(), nil
}

// fieldsOfJSON are the members of an object.
type fieldsOfJSON map[string]json.RawMessage

func (f fieldsOfJSON) get(name string) []byte {
	v := f[name]
	if v == nil {
		v = f[aliases[name]]
	}
	if string(v) == "null" {
		return nil
	}
	return v
}

func (f fieldsOfJSON) text(name string) (text string, err error) {
	if v := f.get(name); v != nil && json.Unmarshal(v, &text) != nil {
		err = errors.New("is no text")
	}
	return text, err
}

func (f fieldsOfJSON) object(name string, into any) error {
	if v := f.get(name); v != nil {
		return object(v, into)
	}
	return nil
}

func (f fieldsOfJSON) instant(name string) (time.Time, error) {
	v := f.get(name)
	if v == nil {
		return time.Time{}, nil
	}
	if v[0] == '"' {
		text, err := f.text(name)
		if err != nil {
			return time.Time{}, errInstant
		}
		return instant(text)
	}
	return instant(string(v))
}

func (f fieldsOfJSON) truth(name string) (truth *bool, err error) {
	if v := f.get(name); v != nil && json.Unmarshal(v, &truth) != nil {
		return nil, errors.New("is neither true nor false")
	}
	return truth, nil
}

// list reads texts, or objects with a name: Logto's answer about the roles of a person.
func (f fieldsOfJSON) list(name string) ([]string, error) {
	v := f.get(name)
	if v == nil {
		return nil, nil
	}
	texts := []string{}
	if json.Unmarshal(v, &texts) == nil {
		return texts, nil
	}
	var named []struct{ Name string }
	if json.Unmarshal(v, &named) != nil {
		return nil, errors.New("is no list of names")
	}
	texts = make([]string, len(named))
	for i, n := range named {
		texts[i] = n.Name
	}
	return texts, nil
}

// fieldsOfCSV are the cells of a row that are not empty, by title.
type fieldsOfCSV map[string]string

func (f fieldsOfCSV) get(name string) string {
	if v := f[name]; v != "" {
		return v
	}
	return f[aliases[name]]
}

func (f fieldsOfCSV) text(name string) (string, error) { return f.get(name), nil }

func (f fieldsOfCSV) object(name string, into any) error {
	if v := f.get(name); v != "" {
		return object([]byte(v), into)
	}
	return nil
}

func (f fieldsOfCSV) instant(name string) (time.Time, error) {
	if v := f.get(name); v != "" {
		return instant(v)
	}
	return time.Time{}, nil
}

func (f fieldsOfCSV) truth(name string) (*bool, error) {
	var truth bool
	switch strings.ToLower(f.get(name)) {
	case "":
		return nil, nil
	case "true", "1", "yes":
		truth = true
	case "false", "0", "no":
	default:
		return nil, errors.New("is neither true nor false")
	}
	return &truth, nil
}

// list reads a JSON list, or names parted by semicolons.
func (f fieldsOfCSV) list(name string) ([]string, error) {
	v := f.get(name)
	if v == "" {
		return nil, nil
	}
	if v[0] == '[' {
		return fieldsOfJSON{name: json.RawMessage(v)}.list(name)
	}
	var names []string
	for part := range strings.SplitSeq(v, ";") {
		if part = strings.TrimSpace(part); part != "" {
			names = append(names, part)
		}
	}
	return names, nil
}
