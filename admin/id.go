package admin

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"idp/store"
)

// newID gives 21 characters of [0-9A-Za-z], as Logto's ids have.
func newID() string { return store.RandomText(21) }

// checkID checks an id that was given: one from elsewhere may be kept.
func checkID(op, id string) error {
	const plain = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	if len(id) < 4 || len(id) > 64 || strings.Trim(id, plain) != "" {
		return store.InvalidField(op, "id", "is not 4 to 64 characters of 0-9, A-Z and a-z")
	}
	return nil
}

// taken words a [store.Conflict], of which the database knows only that there is one.
func taken(err error, op, why string) error {
	if store.CodeOf(err) == store.Conflict {
		return &store.Error{Code: store.Conflict, Op: op, Err: errors.New(why)}
	}
	return err
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
