package reseal

// Tables are what a rotation seals anew.
func Tables() (names []string) {
	for _, c := range columns {
		names = append(names, string(c.SealedColumn))
	}
	return names
}
