package admin

import (
	"errors"
	"fmt"
	"time"

	"idp/store"
)

// userIDSize is the length of the ids of people, which is Logto's.
const userIDSize = 12

// maxRoles bounds how many roles a person is given.
const maxRoles = 100

// checkNewcomer says which field of a person cannot be kept; nil: none.
func checkNewcomer(now time.Time, n Newcomer) *store.FieldError {
	refuse := func(field, reason string) *store.FieldError { return &store.FieldError{Field: field, Reason: reason} }
	switch {
	case n.Email == "":
		return refuse("email", "is missing")
	case n.CreatedAt.After(now.Add(time.Minute)):
		return refuse("createdAt", "is in the future")
	case !n.CreatedAt.IsZero() && n.CreatedAt.Unix() < 0:
		return refuse("createdAt", "is before 1970")
	case len(n.Roles) > maxRoles:
		return refuse("roles", fmt.Sprintf("are more than %d", maxRoles))
	}
	u := store.User{ID: n.ID, Email: n.Email, Name: n.Name, Username: n.Username, Avatar: n.Avatar, Profile: n.Profile, CustomData: n.CustomData}
	if u.ID == "" { // one is made
		u.ID = "000000000000"
	}
	var field *store.FieldError
	errors.As(CheckUser("import", u), &field)
	return field
}
