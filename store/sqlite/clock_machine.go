//go:build !movableclock

package sqlite

// Clock is this machine's clock, which is the database's.
func (e *Engine) Clock() string { return machineClock }
