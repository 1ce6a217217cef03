package op

import (
	"slices"

	"idp/store"
)

// personClaims are what the scopes profile, email and address tell of a person. Unset ones
// are absent and times are in seconds, as OpenID Connect Core section 5.1 says.
type personClaims struct {
	Name              string `json:"name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	MiddleName        string `json:"middle_name,omitempty"`
	Nickname          string `json:"nickname,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Username          string `json:"username,omitempty"` // Logto's
	Profile           string `json:"profile,omitempty"`
	Picture           string `json:"picture,omitempty"`
	Website           string `json:"website,omitempty"`
	Gender            string `json:"gender,omitempty"`
	Birthdate         string `json:"birthdate,omitempty"`
	Zoneinfo          string `json:"zoneinfo,omitempty"`
	Locale            string `json:"locale,omitempty"`
	CreatedAt         int64  `json:"created_at,omitempty"`
	UpdatedAt         int64  `json:"updated_at,omitempty"`
	Email             string `json:"email,omitempty"`
	EmailVerified     bool   `json:"email_verified,omitempty"` // an account's address was verified, or an administrator says that it is theirs

	Address *addressClaim `json:"address,omitempty"`
}

// addressClaim is that of OpenID Connect Core section 5.1.1.
type addressClaim struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

func claimsOf(u store.User, scopes []string) personClaims {
	var c personClaims
	p := u.Profile
	if slices.Contains(scopes, scopeProfile) {
		c = personClaims{
			Name: u.Name, FamilyName: p.FamilyName, GivenName: p.GivenName, MiddleName: p.MiddleName, Nickname: p.Nickname,
			PreferredUsername: p.PreferredUsername, Username: u.Username, Profile: p.Profile, Picture: u.Avatar, Website: p.Website,
			Gender: p.Gender, Birthdate: p.Birthdate, Zoneinfo: p.Zoneinfo, Locale: p.Locale,
			CreatedAt: u.CreatedAt.Unix(), UpdatedAt: u.UpdatedAt.Unix(),
		}
	}
	if slices.Contains(scopes, scopeEmail) {
		c.Email, c.EmailVerified = string(u.Email), true
	}
	if slices.Contains(scopes, scopeAddress) && p.Address != nil {
		a := addressClaim(*p.Address)
		c.Address = &a
	}
	return c
}
