package store

import (
	"encoding/json"
	"time"
)

// Email is a canonical address: ASCII local part, domain in punycode, all lower
// case. Make one with store/address, never by conversion of user input.
type Email string

// User is an account. It appears only after its address was verified, or because an
// administrator made it.
type User struct {
	ID                   string // 12 characters of [0-9A-Za-z]
	Email                Email
	Name                 string // may be ""
	CreatedAt, UpdatedAt time.Time
	SuspendedAt          time.Time // zero: not suspended

	// What apps are told of people beyond that. The sessions of people are read without it.
	Username   string // unique where it is set, "" for none
	Avatar     string // URL, "" for none
	Profile    Profile
	CustomData json.RawMessage // object; nil: none

	// For administrators.
	Client   string    // the app that the account was made in, "" if that is not known
	SignedIn time.Time // the last time; zero: never, as far as the audit log goes back
}

// Profile is what is known of a person: claims of OpenID Connect Core section 5.1 under
// Logto's names. What is "" is not known.
type Profile struct {
	FamilyName        string          `json:"familyName,omitempty"`
	GivenName         string          `json:"givenName,omitempty"`
	MiddleName        string          `json:"middleName,omitempty"`
	Nickname          string          `json:"nickname,omitempty"`
	PreferredUsername string          `json:"preferredUsername,omitempty"`
	Profile           string          `json:"profile,omitempty"` // URL of a page
	Website           string          `json:"website,omitempty"` // URL
	Gender            string          `json:"gender,omitempty"`
	Birthdate         string          `json:"birthdate,omitempty"` // 2006-01-02, 0000-01-02 or 2006
	Zoneinfo          string          `json:"zoneinfo,omitempty"`  // Europe/Berlin
	Locale            string          `json:"locale,omitempty"`    // de-DE
	Address           *ProfileAddress `json:"address,omitempty"`
}

// ProfileAddress is where somebody lives.
type ProfileAddress struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"streetAddress,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postalCode,omitempty"`
	Country       string `json:"country,omitempty"`
}

// UserField is what people are found by.
type UserField string

// The fields of a search, by the names of the API.
const (
	AnyUserField UserField = "" // each of them
	UserEmail    UserField = "primaryEmail"
	UserUsername UserField = "username"
	UserName     UserField = "name"
	UserID       UserField = "id"
)

// UserTerm is what one field has to be like, upper or lower case.
type UserTerm struct {
	Field   UserField
	Pattern string // % stands for anything, or nothing; any other character for itself
	Exact   bool   // % stands for itself, too
}

// UserQuery asks for a page of people. Without terms it is all, the newest first. Those
// that are found are by what they are found by: first those whose address begins that way,
// in its order, then by username, by name, by id.
type UserQuery struct {
	Terms  []UserTerm
	All    bool       // they have to match all, and not one
	After  UserCursor // where the page before ended; only without terms
	Offset int        // MaxCount at most
	Limit  int
}

// UserCursor is a place in the list of all people.
type UserCursor struct {
	CreatedAt time.Time // zero: the beginning
	ID        string
}

// UserPage is a page of people. Total counts all that there are, up to MaxCount + 1.
type UserPage struct {
	Users []User
	Total int
}

// Traces are the keyed hashes under which something is kept that belongs to an address
// and not to an account: now, and under the secret before a rotation, or zero.
type Traces struct {
	Codes [2]Hash // challenges, known browsers
	Mails [2]Hash // records of mails
}
