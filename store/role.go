package store

import "time"

// RoleType is whom a role can be given to; the names are Logto's.
type RoleType string

// The role types.
const (
	UserRole    RoleType = "User"
	MachineRole RoleType = "MachineToMachine"
)

// Role is a set of scopes that people or machines have.
type Role struct {
	ID                   string // 21 characters of [0-9A-Za-z]
	Name                 string // unique
	Description          string
	Type                 RoleType
	Default              bool // who registers has it
	CreatedAt, UpdatedAt time.Time
}

// RoleHolders is who has a role: how many, counted as far as [MaxCount], and some of them.
type RoleHolders struct {
	Users, Clients int
	SomeUsers      []string // ids
	SomeClients    []Client
}

// RoleTally is how many have a role, and how many scopes it has, each counted no further than
// was asked for.
type RoleTally struct{ Users, Clients, Scopes int }

// RoleListing is the part of the list of roles that is asked for.
type RoleListing struct {
	Listing
	Type      RoleType // "" for both
	NotUser   string   // none that this person has; "" for all
	NotClient string   // none that this client has; "" for all
}
