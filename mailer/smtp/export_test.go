package smtp

import "context"

// SetLookupForTest answers for the DNS.
func (s *Sender) SetLookupForTest(lookup func(ctx context.Context, name string) ([]string, error)) {
	s.lookup = lookup
}
