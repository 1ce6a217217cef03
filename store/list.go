package store

// Listing is the part of a list that is asked for. Lists of configuration are by age,
// oldest first.
type Listing struct {
	Search string // part of a name or id, whatever its case; "" for all
	Skip   int
	Limit  int
}

// MaxCount is how far lists are counted: one more says that there are more.
const MaxCount = 10_000
