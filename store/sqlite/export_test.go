package sqlite

import "fmt"

// PreparedForTest prepares n different statements on a connection, and tells how many it keeps.
func PreparedForTest(path string, n int) (int, error) {
	c, err := dial(dsn(path, ""))
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.close() }()
	for i := range n {
		if err := c.query(fmt.Sprintf("SELECT %d", i), nil, func([]any) error { return nil }); err != nil {
			return 0, err
		}
	}
	return len(c.stmts), nil
}

// PlaceForTest gives a file another name.
var PlaceForTest = place
