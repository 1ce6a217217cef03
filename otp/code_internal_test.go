package otp

import "testing"

// Codes are uniform: each digit at each place comes up about equally often, and
// leading zeros are kept.
func TestNewCodeIsUniform(t *testing.T) {
	t.Parallel()
	const n = 60_000
	var seen [6][10]int
	for range n {
		c := newCode(6)
		if len(c) != 6 {
			t.Fatalf("code %q", c)
		}
		for i, d := range c {
			seen[i][d-'0']++
		}
	}
	for i, digits := range seen {
		for d, k := range digits { // 6000 expected, standard deviation 73: six of them
			if k < n/10-440 || k > n/10+440 {
				t.Errorf("digit %d at place %d: %d times of %d", d, i, k, n)
			}
		}
	}
}
