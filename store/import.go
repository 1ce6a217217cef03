package store

// Import is a person whose account was made elsewhere, with what belongs to it.
type Import struct {
	User           // SuspendedAt is set for who cannot sign in
	Roles []string // ids
}
