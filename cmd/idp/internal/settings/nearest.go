package settings

// nearest gives the known name closest to a misspelt one, or "" when none is
// close: at most three edits, and fewer for short names.
func nearest(known []string, key string) string {
	best, found := min(4, len(key)/2+1), ""
	for _, k := range known {
		if d := distance(k, key); d < best {
			best, found = d, k
		}
	}
	return found
}

// distance is the Levenshtein distance of two ASCII names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}
